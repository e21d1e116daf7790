"""`o2c inventory`: stock both ways, what is offered at Amazon and what Amazon keeps."""

import typer

app = typer.Typer(
    name="inventory",
    help="Stock both ways: M3's as Amazon offers it, Amazon's own as M3 has it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
