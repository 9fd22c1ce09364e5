"""Giving a reservation back."""

from airline import *


@procedure("cancel reservation {reservation}", "cancel the booking {reservation} and refund it")
def cancel(reservation: Text):
    """Cancel only where a rule allows it, and say which."""
    get_reservation_details(reservation_id=reservation)
    if already_flown(reservation):
        transfer_to_human_agents(
            summary=f"Part of {reservation} has been flown and the customer wants to cancel it.",
        )
        stop("a person must decide")
    if made_within(reservation, 24) or cancelled_by_airline(reservation) or booked_in(reservation, "business") or insured(reservation):
        respond(
            f"Reservation {reservation} can be cancelled; the money goes back to where it came from. Shall I?",
        )
        if confirmed(f"cancelling {reservation}"):
            cancel_reservation(reservation_id=reservation)
    else:
        respond(
            f"Reservation {reservation} cannot be cancelled: no rule that would allow it applies.",
        )
        avoid(cancel_reservation(reservation_id=reservation), "insisting is no reason")
