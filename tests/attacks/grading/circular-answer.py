# ---
# tries: a list that holds itself
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values):
    answer = []
    answer.append(answer)
    return answer
