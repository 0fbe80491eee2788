"""The numbers of a process that serves nothing else."""

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.runtime.metrics import Metrics, Sample
from tcgtracker.runtime.metrics_server import serving_metrics


def test_it_answers_this_machine_and_nothing_else() -> None:
    metrics = Metrics()
    metrics.jobs.labels("work", "done").inc()
    with serving_metrics(metrics.render, 0) as port:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/", timeout=10)
        with (
            pytest.raises(InvalidInput, match="METRICS_PORT"),
            serving_metrics(metrics.render, port),
        ):
            pass
    assert 'tcgtracker_jobs_total{name="work",state="done"} 1.0' in text


def test_two_trackers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.jobs.labels("work", "done").inc()
    assert one.value("tcgtracker_jobs_total", name="work", state="done") == 1
    assert other.value("tcgtracker_jobs_total", name="work", state="done") == 0


def test_what_is_looked_up_is_told_with_its_labels() -> None:
    labels = {"source": "justtcg", "window": "day"}
    sample = Sample("tcgtracker_vendor_quota_remaining", labels, 7)
    text = Metrics().render(lambda: [sample]).decode()
    assert 'tcgtracker_vendor_quota_remaining{source="justtcg",window="day"} 7.0' in text
