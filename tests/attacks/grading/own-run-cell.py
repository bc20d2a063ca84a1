# ---
# tries: a shell whose run_cell runs nothing and reports success
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
def total(values):
    return 0


from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult


def run_cell(source, *arguments, **options):
    result = ExecutionResult(ExecutionInfo(source, False, False, False, ""))
    result.execution_count = 1
    return result


async def run_cell_async(source, *arguments, **options):
    return run_cell(source)


shell = get_ipython()
shell.run_cell_async, shell.run_cell = run_cell_async, run_cell
