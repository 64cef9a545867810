"""Classifies a collection of pictures on all machines of a Ray cluster: classify_collection.py MODEL PICTURES OUTPUT [ACTORS]

PICTURES and OUTPUT are folders, or URIs of an object store such as s3://bucket/photos; MODEL is a file on every machine,
or a URI. OUTPUT gets Parquet files with a row for each picture: its classes, or why it has none. After an
interruption the same command goes on. Without a cluster, Ray starts one of this machine. Needs ray[data].
"""

import sys

import ray

import vgg19.ray


def main(model, source, output, actors=None):
    ray.init(address=None, log_to_driver=False)  # a cluster if RAY_ADDRESS names one
    actors = int(actors or max(1, ray.cluster_resources()["CPU"] - 1))
    pictures = vgg19.ray.pictures(source, finished=output)
    count = pictures.count()
    print(f"{count} pictures to do, {actors} actors", flush=True)
    if count > 0:
        results = pictures.map_batches(
            vgg19.ray.Classifier, fn_constructor_kwargs={"model": model}, batch_size=32, num_cpus=1, concurrency=actors
        )
        results.write_parquet(output)
    table = ray.data.read_parquet(output)
    broken = table.filter(lambda row: row["error"] is not None)
    print(f"{table.count()} pictures, of which {broken.count()} cannot be read")
    for row in broken.take(5):
        print(f"  {row['path']}: {row['error']}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
