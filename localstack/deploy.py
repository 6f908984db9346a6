#!/usr/bin/env python3
"""deploy.py PACKAGES [NAME=VALUE…]: template.yaml on LocalStack, with a REST API before collect, which LocalStack knows where it
knows no HTTP API.

PACKAGES is the folder of the functions' zips (PACKAGES/PROGRAM/bootstrap.zip), NAME=VALUE a parameter of the template. LocalStack is
at AWS_ENDPOINT_URL. WAREHOUSE_URL is put into the stack's secret. Prints facts about the stack, NAME=VALUE a line; what it does
meanwhile goes to standard error. Needs boto3 and sam: `make aws` installs both in target/aws.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parent.parent
STACK = "clickstream"
STAGE = "live"
# What LocalStack's community edition leaves out: Kafka triggers, schedules, reserved concurrency.
LEFT_OUT = {"ReadKafka": "false", "Schedules": "DISABLED", "ReserveConcurrency": "false"}
DEFAULTS = {
    "BucketName": "clickstream",
    "KafkaBrokers": "127.0.0.1:9092",
    "KafkaSecurity": "plaintext",
    "LogId": "00000000-0000-4000-8000-000000000000",
    "StoreUrl": "scylla://127.0.0.1:9042/clickstream",
    "Sites": "demo:demo",
    "FunctionUrl": "true",
    "Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
}


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def client(service: str):
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def secret() -> str:
    """The secret that the functions read, made or brought up to date; its ARN."""
    manager, name = client("secretsmanager"), "clickstream/service"
    value = json.dumps(
        {
            "warehouse_url": os.environ.get("WAREHOUSE_URL") or "http://127.0.0.1:8123/clickstream",
            "admin_token": "localstack-admin-token",
            "cookieless_secret": "localstack-cookieless-secret",
            "erasure_key": "localstack-erasure-key-of-32-characters",
        }
    )
    try:
        return manager.create_secret(Name=name, SecretString=value)["ARN"]
    except manager.exceptions.ResourceExistsException:
        return manager.put_secret_value(SecretId=name, SecretString=value)["ARN"]


def deploy(packages: Path, parameters: dict[str, str]) -> None:
    """`sam deploy`, of the template as it stands but for where the zips are."""
    text = (ROOT / "template.yaml").read_text()
    template = packages / "template.yaml"
    template.write_text(text.replace("CodeUri: target/lambda/", f"CodeUri: {packages}/"))
    client("s3").create_bucket(Bucket="deployments")
    sam = Path(sys.executable).with_name("sam")
    command = [sam, "deploy", "--template-file", template, "--stack-name", STACK, "--s3-bucket", "deployments"]
    command += ["--capabilities", "CAPABILITY_IAM", "--no-progressbar", "--region", os.environ["AWS_DEFAULT_REGION"]]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    # How often sam asks whether the stack stands, seconds; and it tells nobody that it ran.
    environment = os.environ | {"SAM_CLI_POLL_DELAY": "1", "SAM_CLI_TELEMETRY": "0"}
    ran = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode:
        say(ran.stdout)
        sys.exit(f"sam deploy failed ({ran.returncode}); LocalStack's own log may say more: docker logs")


def rest_api(function: str) -> str:
    """A REST API that hands every request to collect, as the template's HTTP API does on AWS; its id."""
    gateway, lambdas = client("apigateway"), client("lambda")
    for api in gateway.get_rest_apis()["items"]:
        if api["name"] == STACK:
            return api["id"]
    api = gateway.create_rest_api(name=STACK, binaryMediaTypes=["*/*"])["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    arn = lambdas.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    region = os.environ["AWS_DEFAULT_REGION"]
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_method(restApiId=api, resourceId=proxy, httpMethod="ANY", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=proxy, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    lambdas.add_permission(FunctionName=function, StatementId="RestApi", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    gateway.create_deployment(restApiId=api, stageName=STAGE)
    return api


def wait_for(functions: list[str]) -> None:
    """Until LocalStack has made the functions ready; a deployed stack does not say so."""
    lambdas = client("lambda")
    for function in functions:
        while (state := lambdas.get_function_configuration(FunctionName=function))["State"] == "Pending":
            time.sleep(0.2)
        if state["State"] != "Active":
            sys.exit(f"{function} is {state['State']}: {state.get('StateReason', 'LocalStack does not say why')}")


def main(packages: Path, wanted: list[str]) -> None:
    for name, value in (("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        os.environ.setdefault(name, value)
    parameters = DEFAULTS | LEFT_OUT | {"ServiceSecretArn": secret()} | dict(each.split("=", 1) for each in wanted)
    say("deploying template.yaml …")
    deploy(packages, parameters)
    stack = client("cloudformation")
    resources = stack.get_paginator("list_stack_resources").paginate(StackName=STACK)
    made = [each for page in resources for each in page["StackResourceSummaries"]]
    of_type = lambda kind: {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made if each["ResourceType"] == kind}
    functions, queues = of_type("AWS::Lambda::Function"), of_type("AWS::SQS::Queue")
    wait_for(list(functions.values()))
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    print(f"rest_api={endpoint}/_aws/execute-api/{rest_api(functions['CollectFunction'])}/{STAGE}")
    for output in stack.describe_stacks(StackName=STACK)["Stacks"][0].get("Outputs", []):
        print(f"output_{output['OutputKey']}={output['OutputValue']}")
    for name, queue in sorted(queues.items()):
        print(f"queue_{name.removesuffix('DeadLetters')}={queue}")
    for name, function in sorted(functions.items()):
        print(f"function_{name.removesuffix('Function')}={function}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.environ.get("AWS_ENDPOINT_URL"):
        sys.exit(f"usage: AWS_ENDPOINT_URL=http://127.0.0.1:4566 {sys.argv[0]} PACKAGES [NAME=VALUE…]")
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
