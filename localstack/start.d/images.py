"""Run by LocalStack in its own process as it starts: an image that the engine has is not asked of a registry.

LocalStack pulls the image in which functions run whenever a function is made, and where no registry can be reached the
function fails, though the image is there.
"""

from localstack.services.lambda_.invocation import docker_runtime_executor as executor
from localstack.utils.container_utils.container_client import NoSuchImage

ask_registry = executor._ensure_runtime_image_present


def look_first(image, platform):
    try:
        executor.CONTAINER_CLIENT.inspect_image(image, pull=False)
    except NoSuchImage:
        ask_registry(image, platform)


executor._ensure_runtime_image_present = look_first
