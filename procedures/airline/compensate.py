"""A customer who complains about a delay or a cancelled flight."""

from airline import *


@procedure(
    "compensate {user} for the trouble with reservation {reservation}",
    "{user} complains about reservation {reservation}",
)
def compensate(user: Text, reservation: Text, amount: Number):
    """Check the facts before a gesture, and offer one only to whom the rules name."""
    get_user_details(user_id=user)
    get_reservation_details(reservation_id=reservation)
    if cancelled_by_airline(reservation) and (valued(user) or insured(reservation) or booked_in(reservation, "business")):
        respond("I am sorry for the trouble. I can send you a certificate. Would you like it?")
        if confirmed("a certificate"):
            send_certificate(user_id=user, amount=amount)
    else:
        respond("I am sorry for the trouble; a certificate is not possible here.")
    avoid("offering compensation that was not asked for", "the rules say so")
