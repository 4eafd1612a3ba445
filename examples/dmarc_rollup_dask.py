"""Reports read by the workers of a Dask cluster (pip install distributed), the same result to the last byte.

`LocalCluster` stands for any cluster: on a real one the files have to be where the workers can open them.

Prints:
    one process and a Dask cluster of two agree: 150 reports
"""

from pathlib import Path

from distributed import Client, LocalCluster

from mailgate.dmarc import rollup

REPORTS = Path(__file__).parent.parent / "fixtures" / "dmarc" / "reports"


def main() -> None:
    """A Dask client is an executor; nothing in mailgate knows Dask."""
    alone = rollup([REPORTS])
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1")
    with cluster, Client(cluster) as client:
        shared = rollup([REPORTS], executor=client.get_executor())
    assert shared.to_json() == alone.to_json()
    print(f"one process and a Dask cluster of two agree: {len(shared.contributions)} reports")


if __name__ == "__main__":
    main()
