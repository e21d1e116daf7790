"""Reports 2021-06-30: order reports asked for, waited for, downloaded from a URL that soon expires."""
