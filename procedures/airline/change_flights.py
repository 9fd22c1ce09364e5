"""Other flights or another cabin for a reservation that exists."""

from airline import *


@procedure(
    "change the flights of reservation {reservation} to {wish}",
    "move reservation {reservation} to other flights: {wish}",
)
def change_flights(
    reservation: Text,
    wish: Text,
    payment: Text,
    cabin: Literal["economy", "business"],
    flights: list[Flight],
):
    """Change flights once the customer has agreed to flights and price."""
    get_reservation_details(reservation_id=reservation)
    if booked_in(reservation, "basic_economy"):
        respond(
            "A basic economy reservation keeps its flights; its cabin can be raised, or it can be cancelled where that is allowed.",
        )
        stop("basic economy flights cannot be changed")
    note("name every flight of the reservation, the unchanged ones too")
    respond(
        f"The flights would be {flights} in {cabin}, the difference goes to {payment}. Shall I change them?",
    )
    if confirmed(f"the new flights for {reservation}"):
        update_reservation_flights(
            reservation_id=reservation,
            cabin=cabin,
            flights=flights,
            payment_id=payment,
        )
    else:
        respond("Then everything stays as it is.")
