"""Addresses of the Temporal Web UI that an operator can open."""

from urllib.parse import quote, urlencode


def workflow_link(web_ui: str, namespace: str, workflow_id: str, run_id: str) -> str:
    """One workflow's page."""
    return f"{web_ui}/namespaces/{quote(namespace)}/workflows/{quote(workflow_id)}/{quote(run_id)}"


def list_link(web_ui: str, namespace: str, query: str, saved_as: str) -> str:
    """A list of workflows, offered to the reader as a saved view of this name."""
    parameters = urlencode({"query": query, "savedQuery": saved_as}, quote_via=quote)
    return f"{web_ui}/namespaces/{quote(namespace)}/workflows?{parameters}"
