"""Appointments: single changes that the scheduler makes at a set time."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.appointments import appointment_document
from controlplane.usecases import appointments
from controlplane.usecases.changing import Place
from web.api import reading
from web.api.answering import created, listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("appointments", __name__, url_prefix="/environments/<environment>/flags/<flag>/appointments")


@blueprint.get("")
def list_all(environment: str, flag: str) -> Response:
    """The appointments of a flag in the order of their time; `outcome` says what became of those that are over."""
    found = appointments.list_appointments(wired().store, Place(environment, flag))
    return listed([appointment_document(each) for each in found])


@blueprint.post("")
def make(environment: str, flag: str) -> Response:
    """Enable, disable, percent, start, abort or rollback at a set time."""
    new = appointments.make_appointment(wired().store, Place(environment, flag), reading.body(), cause())
    return created(jsonify(appointment_document(new)), f"/api/v1/environments/{environment}/flags/{flag}/appointments")


@blueprint.delete("/<int:number>")
def cancel(environment: str, flag: str, number: int) -> Response:
    """Call it off. 409 when it is over."""
    reading.known("reason")
    place = Place(environment, flag)
    over = appointments.cancel_appointment(wired().store, place, number, cause(reading.reason()))
    return jsonify(appointment_document(over))
