"An airline's service desk: tools over reservations, and a customer to talk to; tau-bench's airline agent has these tools."

toolset("airline")
no_effect("Error:*")


@action("respond: {message}")
def respond(message: Text): "Say something to the customer; the answer is what is observed."


@condition("the customer has said yes to {details}")
def confirmed(details: Text): ...

@condition("reservation {reservation} is in {cabin}")
def booked_in(reservation: Text, cabin: Literal["basic_economy", "economy", "business"]): ...

@condition("reservation {reservation} was made within the last {hours} hours")
def made_within(reservation: Text, hours: Number): ...

@condition("reservation {reservation} has travel insurance and the reason is covered by it")
def insured(reservation: Text): ...

@condition("the airline cancelled a flight of reservation {reservation}")
def cancelled_by_airline(reservation: Text): ...

@condition("a flight of reservation {reservation} has been flown")
def already_flown(reservation: Text): ...

@condition("there are seats for everybody in {cabin} on flight {flight}")
def seats_left(flight: Text, cabin: Text): ...

@condition("customer {user} is a gold or silver member")
def valued(user: Text): ...


@finder("work out which reservation of {user} is meant by {hint}", by=[get_user_details, get_reservation_details])
def find_reservation(user: Text, hint: Text) -> Text: "Look through the customer's reservations."

@finder("choose the flight from {origin} to {destination} on {date} that fits best: {wish}", by=[search_direct_flight, search_onestop_flight])
def find_flight(origin: Text, destination: Text, date: Text, wish: Text) -> Flight: "Compare direct and one-stop flights by price, time and seats."
