"""AWS's own client of Lambda's Invoke API, unchanged but for its address, against a started service: sys.argv[1]."""

import base64
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, KEY, SECRET = sys.argv[1:4]


def client(secret=SECRET):
    return boto3.client(
        "lambda", endpoint_url=URL, region_name="eu-central-1", aws_access_key_id=KEY, aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(code, **call):
    secret = call.pop("secret", SECRET)
    try:
        client(secret).invoke(**call)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
    else:
        raise AssertionError(f"{call} is not refused")


answer = client().invoke(FunctionName="compact", Payload=b"{}", LogType="Tail")
assert answer["StatusCode"] == 200 and "FunctionError" not in answer, answer
assert answer["ExecutedVersion"] == "$LATEST"
assert "rows" in json.load(answer["Payload"])
assert "REPORT RequestId" in base64.b64decode(answer["LogResult"]).decode()

assert client().invoke(FunctionName="settle", InvocationType="Event")["StatusCode"] == 202
assert client().invoke(FunctionName="settle", InvocationType="DryRun")["StatusCode"] == 204

answer = client().invoke(FunctionName="replay", Payload=b'{"source":"nonsense"}', LogType="Tail")
assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled"), answer
assert json.load(answer["Payload"])["errorType"] == "FunctionError"
assert "[ERROR]" in base64.b64decode(answer["LogResult"]).decode()

refused("ResourceNotFoundException", FunctionName="no-such-function")
refused("InvalidRequestContentException", FunctionName="compact", Payload=b"{")
refused("InvalidSignatureException", FunctionName="compact", secret="another secret of that key")
print("Lambda's client: answers, events, dry runs, errors, logs and signatures are as Lambda has them")
