"""Small documents, and the way to a place in one."""


def link(text):
    node, _, output = text.partition(".")
    return {"node": node, "output": output} if output else {"node": node}


def resolve(document, pointer):
    """What a JSON pointer (RFC 6901) points at; KeyError if it points into nothing."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def node(kind, **inputs):
    return {"type": kind if ":" in kind else f"toy.{kind}", "inputs": inputs}


LOAD = node("load", file="cat.png")
SAVE = node("save", image=link("in.picture"))
FINE = {"in": LOAD, "save": SAVE}
