"""What is asked of a forked and of a stock kernel, which have to answer the same."""

from __future__ import annotations

# What a kernel says of itself before it did anything.
IMPORTS = "import os, sys, time, json, warnings, logging, locale, signal, resource, gc, site"
SAME = {
    "flags": "str(sys.flags)",
    "options": "[sys._xoptions, sys.warnoptions, sys.dont_write_bytecode, sys.pycache_prefix]",
    "executable": "[sys.executable, sys.prefix, sys.base_prefix, sys.argv[0], sys.argv[1]]",
    "command": "sys.orig_argv[:-1]",
    "path": "sys.path",
    "user site": "[site.ENABLE_USER_SITE, site.getusersitepackages()]",
    "user scheme": "__import__('sysconfig').get_path('purelib', 'posix_user')",
    "limits": "[sys.getrecursionlimit(), sys.getswitchinterval()]",
    "garbage": "[gc.isenabled(), gc.get_threshold()]",
    "rlimits": "[resource.getrlimit(n) for n in range(16) if n != resource.RLIMIT_DATA]",
    "locale": "[locale.setlocale(locale.LC_ALL), locale.getpreferredencoding()]",
    "time zone": "[time.tzname, time.strftime('%z')]",
    "place": "[os.getcwd(), os.getuid(), os.getgroups(), os.getpriority(0, 0)]",
    "session": "[os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()]",
    "out of memory": "open('/proc/self/oom_score_adj').read()",
    "signals": "[str(signal.getsignal(n)) for n in range(1, 65)]",
    "streams": "[[str(s), s.isatty()] for s in (sys.__stdin__, sys.__stdout__, sys.__stderr__)]",
    "root logger": "[logging.getLogger().level, [str(h) for h in logging.getLogger().handlers]]",
    "main": "[__name__, globals().get('__file__'), globals().get('__spec__')]",
    "extensions": "sorted(get_ipython().extension_manager.loaded)",
    "history": "str(get_ipython().history_manager.hist_file)",
    "start method": "__import__('multiprocessing').get_start_method(True)",
    "spawning from": "__import__('multiprocessing.process').process.ORIGINAL_DIR",
    "plots": "{k: str(v) for k, v in __import__('matplotlib').rcParams.items()}",
    "plots' settings": "__import__('matplotlib').get_configdir()",
    "plots' cache": "__import__('matplotlib').get_cachedir()",
    "threads for numbers": "__import__('torch').get_num_threads()",
}

# Code, and what must come of it at least. What is written past Python takes a way of its own, in
# any kernel, and may come after the cell has ended; so these cells wait for it.
CELLS = {
    "value": ("6 * 7", {"data": [{"text/plain": "42"}]}),
    "error": ("1 / 0", {"error": ["ZeroDivisionError", "division by zero"]}),
    "output": ("import sys; print('out'); print('err', file=sys.stderr)",
               {"text": {"stdout": "out\n", "stderr": "err\n"}}),
    "output from C": ("import os; os.write(1, b'one\\n'); os.write(2, b'two\\n'); time.sleep(0.2)",
                      {"text": {"stdout": "one\n", "stderr": "two\n"}}),
    "shell": ("!echo here; exit 3\n_exit_code", {"data": [{"text/plain": "3"}]}),
    "output of a subprocess": (
        "import subprocess, time; subprocess.run(['echo', 'sub']); time.sleep(0.2)",
        {"text": {"stdout": "sub\n"}}),
    "no input for a subprocess": (
        "subprocess.run('cat; exit 4', shell=True, capture_output=True).returncode",
        {"data": [{"text/plain": "4"}]}),
    "no descriptor for a subprocess": (
        "print(subprocess.check_output('cd /proc/self/fd; echo *', shell=True, text=True,"
        " close_fds=False).split())", {}),
    "module beside the notebook": ("import beside; beside.double(21)",
                                   {"data": [{"text/plain": "42"}]}),
    "fork": ("import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as pool:\n"
             "    print(pool.map(beside.double, [1, 2]))", {"text": {"stdout": "[2, 4]\n"}}),
    "spawn": ("with mp.get_context('spawn').Pool(1) as pool:\n"
              "    print(pool.map(beside.double, [1, 2]))", {"text": {"stdout": "[2, 4]\n"}}),
    "torch's workers": (
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "print(sum(int(b.sum()) for b in DataLoader(torch.arange(8), 4, num_workers=2)))",
        {"text": {"stdout": "28\n"}}),
    "threads": ("import threading\nt = threading.Thread(target=print, args=('from a thread',))\n"
                "t.start(); t.join(); threading.current_thread() is threading.main_thread()",
                {"text": {"stdout": "from a thread\n"}, "data": [{"text/plain": "True"}]}),
    "await": ("import asyncio\nawait asyncio.sleep(0.01, 'slept')",
              {"data": [{"text/plain": "'slept'"}]}),
    "pip": ("%pip --version", {}),
    "signal": ("import signal\nsignal.signal(signal.SIGALRM, lambda *_: print('rang'))\n"
               "signal.setitimer(signal.ITIMER_REAL, 0.05); import time; time.sleep(0.1)",
               {"text": {"stdout": "rang\n"}}),
    "waiting for children": ("import os\npid = os.fork()\nif not pid: os._exit(7)\n"
                             "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])",
                             {"data": [{"text/plain": "7"}]}),
}  # fmt: skip
