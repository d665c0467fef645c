"""What vendors tell, said in our words and done by the services of the slices.

Every door can be knocked at twice. What a message means is decided in the vendor's folder; what
follows here is the same for all of them.
"""
