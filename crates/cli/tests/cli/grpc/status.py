"""Prints the status of calls that are wrong: status.py PORT. One line each, `what: CODE`."""

import sys

import grpc
from optuna.storages._grpc.auto_generated import api_pb2, api_pb2_grpc

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
stub = api_pb2_grpc.StorageServiceStub(channel)
FLOAT = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}'
LOG = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": true}}'
CHOICES = '{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}}'


def show(what, call, *arguments):
    try:
        call(*arguments)
        code = "OK"
    except grpc.RpcError as error:
        code = error.code().name
    print(f"{what}: {code}", flush=True)


def method(name):
    """The call and the class of its request."""
    return getattr(stub, name), getattr(api_pb2, f"{name}Request")


def bad(what, name, **fields):
    call, request = method(name)
    show(f"{name}, {what}", call, request(**fields))


def new_trial(study):
    return stub.CreateNewTrial(api_pb2.CreateNewTrialRequest(study_id=study, template_trial_is_none=True)).trial_id


def calls_on_trial(what, trial):
    bad(what, "SetTrialParameter", trial_id=trial, param_name="x", param_value_internal=0.5, distribution=FLOAT)
    bad(what, "SetTrialStateValues", trial_id=trial, state=1, values=[0.5])
    bad(f"{what}, to run", "SetTrialStateValues", trial_id=trial, state=0)
    bad(what, "SetTrialIntermediateValue", trial_id=trial, step=1, intermediate_value=0.5)
    bad(what, "SetTrialUserAttribute", trial_id=trial, key="k", value="1")
    bad(what, "SetTrialSystemAttribute", trial_id=trial, key="k", value="1")


study = stub.CreateNewStudy(api_pb2.CreateNewStudyRequest(directions=[0], study_name="x")).study_id
bad("same name", "CreateNewStudy", directions=[0], study_name="x")
for unknown in (study + 1000, 0, -1):
    what = f"unknown study {'beyond' if unknown > study else unknown}"
    for name in ("DeleteStudy", "GetStudyNameFromId", "GetStudyDirections", "GetStudyUserAttributes"):
        bad(what, name, study_id=unknown)
    bad(what, "GetStudySystemAttributes", study_id=unknown)
    bad(what, "SetStudyUserAttribute", study_id=unknown, key="k", value="1")
    bad(what, "SetStudySystemAttribute", study_id=unknown, key="k", value="1")
    bad(what, "CreateNewTrial", study_id=unknown, template_trial_is_none=True)
    bad(what, "GetTrialIdFromStudyIdTrialNumber", study_id=unknown, trial_number=0)
    bad(what, "GetTrials", study_id=unknown, trial_id_greater_than=-1)
bad("unknown name", "GetStudyIdFromName", study_name="y")
bad("unknown number", "GetTrialIdFromStudyIdTrialNumber", study_id=study, trial_number=7)
for unknown in (10_000, 0, -1):
    what = f"unknown trial {unknown}"
    bad(what, "GetTrial", trial_id=unknown)
    calls_on_trial(what, unknown)

trial = new_trial(study)
bad("running already", "SetTrialStateValues", trial_id=trial, state=0)
method("SetTrialParameter")[0](
    api_pb2.SetTrialParameterRequest(trial_id=trial, param_name="x", param_value_internal=0.5, distribution=FLOAT)
)
other = new_trial(study)
for what, distribution in [("other scale", LOG), ("other kind", CHOICES), ("broken", "{"), ("none", "")]:
    bad(f"{what} distribution", "SetTrialParameter", trial_id=other, param_name="x", param_value_internal=0.5, distribution=distribution)
bad("broken JSON", "SetTrialUserAttribute", trial_id=other, key="k", value="{")
bad("broken JSON", "SetStudyUserAttribute", study_id=study, key="k", value="{")
bad("unknown state", "SetTrialStateValues", trial_id=other, state=9)
bad("no direction", "CreateNewStudy", directions=[], study_name="none")
bad("unknown direction", "CreateNewStudy", directions=[7], study_name="seven")
stub.SetTrialStateValues(api_pb2.SetTrialStateValuesRequest(trial_id=trial, state=1, values=[0.5]))
calls_on_trial("ended", trial)

large = api_pb2.SetStudyUserAttributeRequest(study_id=study, key="k", value='"' + "a" * (4 << 20) + '"')
show("a request of more than 4 MiB", stub.SetStudyUserAttribute, large)
for name, message in [("GetTrial", b"\xff\xff\xff"), ("Shutdown", b"")]:
    show(f"{name} of {message!r}", channel.unary_unary(f"/optuna.StorageService/{name}"), message)
bad("after all that", "GetTrials", study_id=study, trial_id_greater_than=-1)
