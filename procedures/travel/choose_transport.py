"""Getting from one city to another."""

from travel import *


@procedure(
    "get from {origin} to {destination} on {date}",
    "choose the transport from {origin} to {destination} on {date}",
)
def choose_transport(origin: City, destination: City, date: Date):
    """Prefer a flight; drive yourself where there is none; never mix driving and flying in one trip."""
    flight_search(origin, destination, date)
    if not flies(origin, destination, date):
        google_distance_matrix(origin, destination, "self-driving")
        google_distance_matrix(origin, destination, "taxi")
        note("a taxi takes four people and a car five; count how many are needed")
    avoid("driving one way and flying back", "the car would have to come home as well")
    notebook_write(f"transport from {origin} to {destination} on {date}")
