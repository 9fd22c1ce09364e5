"""A new reservation."""

from airline import *


@procedure(
    "book a flight from {origin} to {destination} on {date}",
    "buy a ticket from {origin} to {destination} for {date}",
)
def book(
    user: Text,
    origin: Text,
    destination: Text,
    date: Text,
    cabin: Literal["basic_economy", "economy", "business"],
    passengers: list[Passenger],
    payments: list[PaymentMethod],
    wish: Text = "the lowest price",
):
    """Choose a flight together, settle the details, book once the customer says yes."""
    get_user_details(user_id=user)
    flight = find_flight(origin, destination, date, wish)
    respond(
        f"I would book {flight} in {cabin}. How many bags, do you want travel insurance, and how will you pay?",
    )
    calculate(expression="price of a seat * number of passengers")
    note("one certificate at most can pay for a reservation, and the amounts must add up exactly")
    ensure(
        confirmed("flight, cabin, bags, insurance and payment"),
        "nothing is booked before a clear yes",
    )
    book_reservation(
        user_id=user,
        origin=origin,
        destination=destination,
        flight_type="one_way",
        cabin=cabin,
        flights=[flight],
        passengers=passengers,
        payment_methods=payments,
        total_baggages=0,
        nonfree_baggages=0,
        insurance="no",
    )
