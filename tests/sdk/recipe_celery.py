"""The service as a Celery application: the broker is a folder, so that no server is needed."""

import os

from celery import Celery

from tests.sdk import recipe_service

_FOLDER = os.environ["RECIPE_FOLDER"]

app = Celery("recipe", broker="filesystem://", backend=f"file://{_FOLDER}/results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": f"{_FOLDER}/queue",
        "data_folder_out": f"{_FOLDER}/queue",
        "control_folder": f"{_FOLDER}/control",
    },
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
)


@app.task
def serve():
    return recipe_service.serve()
