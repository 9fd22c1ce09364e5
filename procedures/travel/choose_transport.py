"""Getting from one city to another."""

from travel import *


@procedure(
    "get from {origin} to {destination} on {date}",
    "choose the transport from {origin} to {destination} on {date}",
)
def choose_transport(origin: City, destination: City, date: Date):
    """Take what the wishes allow, and never mix driving oneself with anything else in one trip."""
    flight_search(origin, destination, date)
    if not flies(origin, destination, date):
        google_distance_matrix(origin, destination, "self-driving")
        google_distance_matrix(origin, destination, "taxi")
        note("a taxi takes four people and a car five; count how many are needed")
    ensure(
        allowed("the way"),
        "who wants no flight, or not to drive, must not find one in the plan",
    )
    ensure(go_together("the ways of the whole trip"), "the own car would have to come home as well")
    notebook_write(f"transport from {origin} to {destination} on {date}")
