print("lamps")
