"""What is stored of people: entities, what must hold of them, actions that change them, the one door to the library."""
