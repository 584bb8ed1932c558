"""What PromQL of ours asks for: metrics, and labels of them."""

import re

TARGET = {"instance", "job", "namespace", "pod"}  # labels that a scrape adds
_WORDS = {"$__rate_interval": "5m", "$__range": "1h", "$fleet": ".*", "$model": ".*"}


def plain(query):
    """The query as Grafana would send it."""
    for word, value in _WORDS.items():
        query = query.replace(word, value)
    assert "$" not in query, query
    return query


def asked(query):
    """Names of our samples in a query."""
    return set(re.findall(r"petiole_\w+", query))


def unknown(query, labels_of):
    """Names and labels of a query that ``labels_of`` (labels by sample name) does not have."""
    names = asked(query)
    wrong = {name for name in names if name not in labels_of}
    known = set().union(*(labels_of.get(name, ()) for name in names)) | TARGET
    for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", query):
        used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        wrong |= {f"{name}{{{label}}}" for label in used - set(labels_of.get(name, ())) - TARGET}
    for clause in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", query):
        wrong |= {label for label in re.split(r"[,\s]+", clause) if label} - known
    return wrong


def labels_by_sample(metrics):
    return {
        sample: {*metric.labels, *(["le"] if sample.endswith("_bucket") else [])}
        for metric in metrics.values()
        for sample in metric.samples
    }
