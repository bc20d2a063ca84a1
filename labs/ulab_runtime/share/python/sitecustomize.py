"""Python runs this when it starts in a person's sandbox: their own packages are found first."""

try:
    from ulab_runtime.own_packages import be_no_virtual_environment_for_pip, show_own_packages
except ImportError:
    pass  # a virtual environment of the person's own, in which nothing of ours exists
else:
    show_own_packages()
    be_no_virtual_environment_for_pip()
