"""More bags for a reservation."""

from airline import *


@procedure(
    "add bags to reservation {reservation} so that there are {total}",
    "check in {total} bags on reservation {reservation}",
)
def add_bags(reservation: Text, total: Number, paid: Number, payment: Text):
    """Work out which bags are free before naming a price."""
    get_reservation_details(reservation_id=reservation)
    note("free bags depend on membership and cabin; bags can be added and never taken away")
    respond(
        f"That makes {total} bags, of which {paid} must be paid by {payment}. Shall I add them?",
    )
    if confirmed(f"{total} bags on {reservation}"):
        update_reservation_baggages(
            reservation_id=reservation,
            total_baggages=total,
            nonfree_baggages=paid,
            payment_id=payment,
        )
