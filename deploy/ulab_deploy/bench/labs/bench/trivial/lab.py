# %% nbgrader={"grade_id": "given", "locked": true}
import math


# %% nbgrader={"grade_id": "area", "solution": true}
def area(radius):
    ### BEGIN SOLUTION
    return math.pi * radius**2
    ### END SOLUTION


# %% nbgrader={"grade_id": "area-test", "grade": true, "points": 2}
assert area(0) == 0

# %% nbgrader={"grade_id": "area-hidden", "grade": true, "points": 3}
### BEGIN HIDDEN TESTS
assert abs(area(2) - 4 * math.pi) < 1e-9
### END HIDDEN TESTS
