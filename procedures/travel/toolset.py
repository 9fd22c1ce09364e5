"Planning a trip of several days with searches over flights, distances, places to stay, to eat and to see; TravelPlanner has these tools."

toolset("travel")
no_effect("There is no *", "*No valid information*", "*is invalid*", "*not found*")


class City: "A city by its name, such as 'Rockford'."
class Date: "A day, such as '2022-03-16'."
class Flight: "A flight by its number, such as 'F3573659'."
class Place: "A place to stay, to eat or to see, with its city: 'Flying Mango, Rockford'."


@action("FlightSearch[{origin}, {destination}, {date}]")
def flight_search(origin: City, destination: City, date: Date): "List the flights of a day with prices and times."

@action("GoogleDistanceMatrix[{origin}, {destination}, {mode}]")
def google_distance_matrix(origin: City, destination: City, mode: Literal["self-driving", "driving", "taxi"]): "Tell distance, time and cost of a drive."

@action("AccommodationSearch[{city}]")
def accommodation_search(city: City): "List places to stay with price, room type, house rules, least nights and most guests."

@action("RestaurantSearch[{city}]")
def restaurant_search(city: City): "List restaurants with their average cost and cuisines."

@action("AttractionSearch[{city}]")
def attraction_search(city: City): "List what there is to see."

@action("CitySearch[{state}]")
def city_search(state: Text): "List the cities of a state."

@action("NotebookWrite[{description}]")
def notebook_write(description: Text): "Keep what the last search showed, under a short description."

@action("CostEnquiry[{plan}]")
def cost_enquiry(plan: Text): "Tell what a part of a plan costs."

@action("Planner[{query}]")
def planner(query: Text): "Make the plan from what the notebook holds."

@action("plan day {...}")
def plan_day(
    days: Number,
    current_city: Text,
    transportation: Text = "-",
    breakfast: Text = "-",
    attraction: Text = "-",
    lunch: Text = "-",
    dinner: Text = "-",
    accommodation: Text = "-",
): "Fill one day of the plan; '-' says that nothing is needed."


@condition("the cost so far leaves {amount} or more of {budget}")
def affordable(amount: Text, budget: Text): ...

@condition("there is a flight from {origin} to {destination} on {date}")
def flies(origin: City, destination: City, date: Date): ...

@condition("{place} meets {wish}")
def meets(place: Place, wish: Text): ...

@condition("{place} may be booked for {nights} nights")
def bookable(place: Place, nights: Number): ...

@condition("{place} is nowhere else in the plan")
def new(place: Place): ...

@condition("{place} serves a cuisine that was wished for and not had yet")
def still_wished(place: Place): ...

@condition("{choice} is the cheapest that is left")
def cheapest(choice: Text): ...

@condition("{way} is one that the wishes allow")
def allowed(way: Text): ...

@condition("{ways} go together: one drives oneself all the way or never")
def go_together(ways: Text): ...


@finder("choose the cheapest suitable flight from {origin} to {destination} on {date}", by=[flight_search])
def find_flight(origin: City, destination: City, date: Date) -> Flight: "Prefer the lowest price that arrives in daytime."

@finder("choose a place to stay in {city} that meets {wish}", by=[accommodation_search])
def find_stay(city: City, wish: Text) -> Place: "Mind least nights, most guests, room type and house rules before the price."

@finder("choose restaurants in {city} that meet {wish}", by=[restaurant_search])
def find_meals(city: City, wish: Text) -> list[Place]: "Never the same restaurant twice in a trip."

@finder("choose sights in {city}", by=[attraction_search])
def find_sights(city: City) -> list[Place]: "Never the same sight twice in a trip."

@finder("choose {count} cities in {state}", by=[city_search])
def find_cities(state: Text, count: Number) -> list[City]: "Cities that can be reached from each other within the budget."
