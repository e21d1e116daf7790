"""How the page looks: on a screen of any width, by day and by night, and on A4 paper."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --soft: #5b6470; --line: #d9dde2; --faint: #f5f6f8; --paper: #ffffff; --desk: #eceef1;
  --ok: #1d6b45; --note: #8a5a00; --differs: #b3261e; --open: #5b6470; --link: #23507f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e7eb; --soft: #9aa4b0; --line: #343b44; --faint: #20252b; --paper: #181c21; --desk: #101316;
    --ok: #6cc796; --note: #e0ad52; --differs: #f2877f; --open: #9aa4b0; --link: #8ab6e6;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--desk); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main {
  max-width: 54rem; margin: 2rem auto; padding: 2.75rem 3.25rem 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 4px;
}
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
p { margin: 0 0 .6rem; max-width: 44rem; }
small { display: block; color: var(--soft); font-size: .82em; line-height: 1.35; }
code { font: .92em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.n { white-space: nowrap; font-variant-numeric: tabular-nums lining-nums; }
.k { margin-right: .2em; }
.soft { color: var(--soft); }

header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; justify-content: space-between; align-items: baseline; }
header .kind { margin: 0; color: var(--soft); font-size: .82rem; letter-spacing: .04em; }
h1 { margin: .1rem 0 0; font-size: 1.75rem; font-weight: 600; letter-spacing: -.01em; line-height: 1.2;
     font-variant-numeric: tabular-nums; }
h2 { margin: 0; font-size: 1.1rem; font-weight: 600; }
h3 { margin: 1.4rem 0 .1rem; font-size: .95rem; font-weight: 600; }
.state { padding: .1rem .7rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem;
         color: var(--open); }
.state.booked { color: var(--ok); } .state.held { color: var(--differs); }
.about { margin: .7rem 0 0; color: var(--soft); }
.said { margin: 1rem 0 0; padding: .7rem 1rem; border-left: 3px solid var(--line); background: var(--faint); }
.said.held { border-color: var(--differs); }

.figures { display: grid; grid-template-columns: 1.25fr 1fr 1fr; gap: 0; margin: 1.75rem 0 0; padding: 0;
           border-top: 2px solid var(--ink); border-bottom: 1px solid var(--line); }
.figures > div { padding: .9rem 1.2rem .9rem 0; min-width: 0; }
.figures > div + div { padding-left: 1.2rem; border-left: 1px solid var(--line); }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.35; }
.figures dd small { font-weight: 400; font-size: .85rem; }
.sum { display: grid; grid-template-columns: auto 1fr auto; gap: .1rem .6rem; margin: 0; padding: 1rem 0;
       border-bottom: 1px solid var(--line); }
.sum dt { grid-column: 1; } .sum dd { grid-column: 3; margin: 0; text-align: right; }
.sum .eq { grid-column: 2; text-align: right; color: var(--soft); }
.sum .eq.differs { color: var(--differs); font-weight: 600; }

section { margin-top: 2.4rem; scroll-margin-top: 1rem; }
section > .head { display: flex; align-items: baseline; gap: .8rem; padding-bottom: .35rem; margin-bottom: .7rem;
                  border-bottom: 1px solid var(--ink); }
section > .head .back { margin-left: auto; font-size: .82rem; }
section:target > .head { border-bottom-color: var(--link); box-shadow: 0 1px 0 var(--link); }
.mark { white-space: nowrap; font-size: .85rem; color: var(--open); }
.mark > span:first-child { display: inline-block; width: 1em; text-align: center; font-weight: 700; }
.mark.ok { color: var(--ok); } .mark.note { color: var(--note); } .mark.differs { color: var(--differs); }

table { width: 100%; border-collapse: collapse; margin: .3rem 0 .9rem; font-size: .92rem; }
th { text-align: left; color: var(--soft); font-weight: 400; font-size: .82rem; vertical-align: bottom; }
th, td { padding: .32rem 0 .32rem 1.1rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
td { overflow-wrap: anywhere; }
th.number, th.amount, td.number, td.amount { text-align: right; white-space: nowrap;
                                             font-variant-numeric: tabular-nums lining-nums; }
td.code { font-variant-numeric: tabular-nums; }
th.code { width: 9.5rem; }
th.amount { min-width: 7.5rem; }
th.number { width: 5rem; }
tfoot td { border-top: 1px solid var(--ink); border-bottom: 3px double var(--ink); font-weight: 600; }
.narrow { display: none; }
.proofs td { border-bottom-color: var(--line); }
.proofs td.text { width: 100%; }
.proofs td:first-child { width: 1%; white-space: nowrap; padding-right: .2rem; }

.facts { display: grid; gap: .25rem 1.2rem; margin: 0 0 .8rem; font-size: .92rem; }
.facts > div { display: grid; grid-template-columns: 13.5rem 1fr; gap: 1rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
footer { margin-top: 2.6rem; padding-top: .7rem; border-top: 1px solid var(--line); color: var(--soft);
         font-size: .82rem; }

@media screen and (max-width: 44rem) {
  body { background: var(--paper); font-size: 14px; }
  main { margin: 0; padding: 1.25rem 1rem; border: 0; border-radius: 0; }
  h1 { font-size: 1.45rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .figures > div:first-child { grid-column: 1 / -1; padding-right: 0; }
  .figures > div:nth-child(n+2) { border-top: 1px solid var(--line); }
  .figures > div:nth-child(2) { border-left: 0; padding-left: 0; }
  .figures dd { font-size: 1.15rem; }
  table { font-size: .9rem; }
  th, td { padding-left: .6rem; }
  th.code { width: auto; }
  th.amount, th.number { min-width: 0; width: 1%; }
  .wide { display: none; }
  .narrow { display: block; }
  .proofs .word { display: none; }
  section > .head { flex-wrap: wrap; }
  .facts > div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  @page { size: A4; margin: 16mm 15mm 18mm; }
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --faint: #fff; --paper: #fff; --desk: #fff;
          --ok: #000; --note: #000; --differs: #000; --open: #444; --link: #000; }
  html { font-size: 12.5px; }
  body { font-size: 9.5pt; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  .back { display: none; }
  section { margin-top: 1.4rem; }
  h2, h3, .head { break-after: avoid; }
  tr, .figures, .sum, .facts > div { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
