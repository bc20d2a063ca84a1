# %% [markdown] lang="zh"
# # 风机在好好干活吗？
#
# 吉林西部的白城、松原一带，平原上立着成片的风机。值班工程师每天要回答三个问题：**这台风机发的电，和这样的风相称吗？它是停了，还是本来就没风？一小时后、一天后，全场能发多少？** 第一个问题答错，坏掉的叶片会转上几个月；第三个答错，差额要由煤电补上。
#
# 吉林风机的运行记录不公开，我们用一份真实的公开数据：法国 La Haute Borne 风电场的四台风机，2014 和 2015 两年，每十分钟一条。那里最冷约零下六度，白城的冬夜能到零下三十度，所以请留心：**哪些结论会随气温改变？**
#
# **学完以后，你能够**
# - 清洗风机记录：查清时钟，分清错误值和看似反常的真值；
# - 由数据得出功率曲线，并用空气密度修正；
# - 区分停机和无风，算出停机损失的电量；
# - 用持续法、平均值和两者的混合预测全场功率，用技巧评分比较。
#
# **需要的基础**：pandas 的 `groupby`、`shift` 和布尔筛选，相关系数的含义。**时间**：约 120 分钟，运算约半分钟。

# %% [markdown] lang="en"
# # Are the turbines doing their job?
#
# Around Baicheng and Songyuan in western Jilin, wind turbines stand in rows across the plain. Every day the engineer on duty has three questions: **does this turbine give what such a wind should give? Has it stopped, or is there just no wind? How much will the whole farm give in an hour, and in a day?** Get the first wrong and a damaged blade turns for months; get the third wrong and coal has to make up for it.
#
# Records of Jilin's turbines are not public, so we use real open data: four turbines of La Haute Borne in France, 2014 and 2015, a record every ten minutes. Its coldest hours are about 6 below zero and a winter night in Baicheng can be 30 below, so keep asking: **which conclusions change with temperature?**
#
# **Afterwards you can**
# - clean turbine records: find out about the clock, and tell error values from true values that only look odd;
# - make a power curve from data and correct it for the density of air;
# - tell a stop from a calm, and compute the energy a stop costs;
# - forecast the farm's power by persistence, by the mean and by a mix of both, and compare them by a skill score.
#
# **You need**: `groupby`, `shift` and boolean selection in pandas, what a correlation coefficient means. **Time**: about 120 minutes, half of one of them computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 清洗记录 | 4 |
# | 2 | 功率曲线 | 4 |
# | 3 | 冷空气更有劲 | 3 |
# | 4 | 停机还是无风 | 4 |
# | 5 | 持续与平均的混合 | 4 |
# | 6 | 技巧评分 | 3 |
# | 7 | 开放题：停机值多少钱 | 4 |
#
# 从上往下运行。写好的部分不用改，你补上缺的部分。每题后面有测试：通过时没有输出，没通过时会说哪里不对。提交后还会跑一批看不见的测试，内容不超出题目说明。2014 年用来学，2015 年用来考。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | clean the records | 4 |
# | 2 | the power curve | 4 |
# | 3 | cold air pushes harder | 3 |
# | 4 | a stop or a calm | 4 |
# | 5 | a mix of persistence and mean | 4 |
# | 6 | the skill score | 3 |
# | 7 | open question: what a stop costs | 4 |
#
# Run the cells from top to bottom. What is written stays; you complete what is missing. Tests follow each item: silent when they pass, and when they don't they say what is wrong. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. 2014 is for learning, 2015 for testing.

# %% nbgrader={"grade_id": "load", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingRegressor

import ulab

ulab.use_fonts()
RATED = 2050  # kW
raw = ulab.load("wind-turbines")
raw.head()

# %% [markdown] lang="zh"
# ## 一、先查记录
#
# | 列 | 含义 | 单位 |
# | --- | --- | --- |
# | `Wind_turbine_name` | 风机编号 | |
# | `Date_time` | 时间，末尾带时差 | |
# | `P_avg` | 十分钟平均功率（额定 2050） | kW |
# | `Ws_avg` | 十分钟平均风速（机舱上的风速计） | m/s |
# | `Ot_avg` | 舱外气温 | °C |
#
# 其余几列（桨距角、偏航、风向）本实验不用。
#
# **先猜后算。** 两年的十分钟，每台应有 2 × 365 × 144 = 105120 条。下面数三件事：每台的条数、重复的时刻、负的功率。负功率会占百分之几？那是错误吗？

# %% [markdown] lang="en"
# ## 1. First look at the records
#
# | column | meaning | unit |
# | --- | --- | --- |
# | `Wind_turbine_name` | the turbine | |
# | `Date_time` | time, with its offset at the end | |
# | `P_avg` | mean power of the ten minutes (rated 2,050) | kW |
# | `Ws_avg` | mean wind speed of the ten minutes (anemometer on the nacelle) | m/s |
# | `Ot_avg` | outdoor temperature | °C |
#
# The other columns (pitch, yaw, direction) are not needed here.
#
# **Predict, then run.** Two years should hold 2 × 365 × 144 = 105,120 records of ten minutes for each turbine. Below we count three things: records of each turbine, repeated moments, negative powers. What share of the powers is negative, and is that an error?

# %%
my_guess = {"negative (%)": None, "an error?": None}

# %%
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
print(raw["Wind_turbine_name"].value_counts().to_dict())
print(
    ulab.say(zh="重复的时刻：", en="repeated moments:"),
    raw.duplicated(["Wind_turbine_name", "Date_time"]).sum(),
)
print(
    ulab.say(zh="负功率（%）：", en="negative power (%):"),
    round(100 * (raw["P_avg"] < 0).mean(), 1),
)
print(raw[["P_avg", "Ws_avg", "Ot_avg"]].describe().loc[["count", "min", "max"]].round(1))

# %% [markdown] lang="zh"
# 三个发现，三种处理：
#
# - **负功率约 18%，是真的。** 没风的时候，风机的控制柜、油泵和加热器要从电网取电，最多约 18 kW。删掉它们，平均功率就虚高了。
# - **气温最低 −273 °C，是假的。** 传感器断线时报的错误值。
# - **48 个时刻出现了两次。** 看看它们在哪里：

# %% [markdown] lang="en"
# Three findings, three treatments:
#
# - **About 18 % of the powers are negative, and true.** Without wind a turbine's controls, oil pumps and heaters take up to 18 kW from the grid. Drop them and the mean power comes out too high.
# - **A temperature of −273 °C is false.** It is what the sensor reports when its wire is broken.
# - **48 moments come twice.** See where:

# %%
one = raw[raw["Wind_turbine_name"] == "R80711"]
night = one[one["Date_time"].between("2014-03-30T01:40", "2014-03-30T04:10")]
night[["Date_time", "P_avg", "Ws_avg", "Ot_avg"]]

# %% [markdown] lang="zh"
# 那一夜法国改夏令时，02:00 直接跳到 03:00。表里没有 02:00–02:50，而 03:00–03:50 各有两条，内容不同。再看秋天：改回冬令时那一夜，钟面从 01:50 走到 02:00，**没有**一个小时出现两次。
#
# 结论：**记录仪的钟从来没有拨过**，只是后来有人给它贴上了时差。`+01:00`、`+02:00` 不可信，钟面（前 19 个字符，如 `2014-03-30T01:50:00`）才是均匀的时钟；只有春天那一小时被挤到了 03 点，两条里哪条是真的，表里没有说。
#
# 如果照时差换算成 UTC，整个夏天都会错一小时，秋天还会凭空少一小时。

# %% [markdown] lang="en"
# That night France changed to summer time: 02:00 jumps to 03:00. The table has no 02:00–02:50, and 03:00–03:50 come twice, with different values. And in autumn, when clocks go back, the face of the clock goes from 01:50 to 02:00 and **no** hour comes twice.
#
# So **the logger's clock was never changed**; somebody labelled it with offsets later. `+01:00` and `+02:00` can't be trusted, and the face of the clock (the first 19 characters, such as `2014-03-30T01:50:00`) is the one that runs evenly. Only spring's hour was pushed onto 3 o'clock, and which of the two records is the true one the table doesn't say.
#
# Convert to UTC by the offsets, and the whole summer is an hour off, with an hour missing in autumn.

# %% [markdown] lang="zh"
# ### 第 1 题（4 分）：清洗记录
#
# 补全 `clean(raw)`，返回新表，五列 `turbine`、`time`、`power`、`wind`、`temperature`：
#
# - `time` 是**钟面时间**（不带时差的 `Timestamp`）——这一步已写好；
# - 同一台风机、同一时刻出现多次的，**全部去掉**（不知道哪条是真的），其中缺了值的也算出现一次；
# - `power` 或 `wind` 缺失的行去掉；负功率保留；
# - 气温不高于 −50 °C 的是错误值，改成 `NaN`，**那一行保留**；
# - 先按 `turbine`、再按 `time` 排序，索引为 0、1、2……；不改动传进来的表。
#
# <details><summary>提示 1：概念</summary>
#
# 一个温度传感器坏了，那十分钟的风和功率仍然是好的。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `duplicated` 的参数 `keep=False` 把每一条重复的都标出来；`Series.where(条件)` 把不满足条件的变成 `NaN`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 筛掉重复 → `dropna(subset=…)` → 温度 `where` → `sort_values([…], ignore_index=True)`。
# </details>

# %% [markdown] lang="en"
# ### Item 1 (4 points): clean the records
#
# Complete `clean(raw)`, which returns a new table with the columns `turbine`, `time`, `power`, `wind`, `temperature`:
#
# - `time` is **the face of the clock** (a `Timestamp` without offset): this step is written;
# - where a turbine has a moment more than once, **all of them go** (nobody knows the true one), and a record with values missing counts as well;
# - rows with `power` or `wind` missing go; negative powers stay;
# - temperatures of −50 °C or less are errors and become `NaN`, **the row stays**;
# - sorted by `turbine`, then `time`, with the index 0, 1, 2 …; the table passed in is not changed.
#
# <details><summary>Hint 1: the idea</summary>
#
# One thermometer is broken, and the wind and the power of those ten minutes are still good.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `duplicated` with `keep=False` marks every one of the repeated rows; `Series.where(condition)` makes `NaN` of what doesn't meet the condition.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Select the unrepeated → `dropna(subset=…)` → `where` on temperature → `sort_values([…], ignore_index=True)`.
# </details>


# %% nbgrader={"grade_id": "clean", "solution": true}
def clean(raw):
    table = pd.DataFrame(
        {
            "turbine": raw["Wind_turbine_name"],
            "time": pd.to_datetime(raw["Date_time"].str[:19], format="%Y-%m-%dT%H:%M:%S"),
            "power": raw["P_avg"],
            "wind": raw["Ws_avg"],
            "temperature": raw["Ot_avg"],
        }
    )
    # zh: 接着：重复、缺失、错误的气温、排序
    # en: Next: repeated moments, missing values, false temperatures, order
    ### BEGIN SOLUTION
    table = table[~table.duplicated(["turbine", "time"], keep=False)]
    table = table.dropna(subset=["power", "wind"])
    table["temperature"] = table["temperature"].where(table["temperature"] > -50)
    return table.sort_values(["turbine", "time"], ignore_index=True)
    ### END SOLUTION


# %% nbgrader={"grade_id": "clean-test", "grade": true, "points": 4}
# zh: 列、重复的时刻、缺失值、错误的气温、顺序
# en: Columns, repeated moments, missing values, false temperatures, order
_COLUMNS = ["turbine", "time", "power", "wind", "temperature"]


def _records(*rows):
    table = pd.DataFrame(
        rows, columns=["Wind_turbine_name", "Date_time", "P_avg", "Ws_avg", "Ot_avg"]
    )
    return table.assign(Ba_avg=0.0, Va_avg=0.0, Ya_avg=90.0, Wa_avg=90.0)


_night = raw[raw["Date_time"].between("2014-03-30T00:00", "2014-03-30T06:00")]
_cleaned = clean(_night.copy())
assert isinstance(_cleaned, pd.DataFrame), ulab.say(
    zh=f"应当返回一张表，得到 {type(_cleaned).__name__}。",
    en=f"A table should come back, not {type(_cleaned).__name__}.",
)
assert list(_cleaned.columns) == _COLUMNS, ulab.say(
    zh=f"应当有五列 {_COLUMNS}，得到 {list(_cleaned.columns)}。",
    en=f"The columns should be {_COLUMNS}, not {list(_cleaned.columns)}.",
)
assert _cleaned["time"].dt.tz is None, ulab.say(
    zh="time 带着时差。时差不可信，只要钟面时间。",
    en="time has an offset. The offsets can't be trusted: the face of the clock is asked for.",
)
assert len(_cleaned) > 0, ulab.say(
    zh="一行也没剩下。四台风机同一时刻各有一条，那不是重复。",
    en="No row is left. Four turbines with a record each at one moment are no repetition.",
)
assert _cleaned["time"].min() == pd.Timestamp("2014-03-30 00:00"), ulab.say(
    zh=f"最早的时刻应是 3 月 30 日 00:00，得到 {_cleaned['time'].min()}：要钟面时间，不要换算成 UTC。",
    en=f"The earliest moment is 30 March 00:00, not {_cleaned['time'].min()}: the face of the clock, not converted to UTC.",
)
assert (_cleaned["power"] < 0).any(), ulab.say(
    zh="负功率的行不见了。没风时风机自己用电，那是真的。",
    en="A row with negative power is gone. Without wind a turbine uses power itself: it is true.",
)
_at_three = int((_cleaned["time"].dt.hour == 3).sum())
assert _at_three != 24, ulab.say(
    zh="3 月 30 日 3 点的每个时刻还留着一条：不知道哪条是真的，两条都要去掉。",
    en="One record is left of each moment of 3 o'clock on 30 March: nobody knows the true one, so both go.",
)
assert _at_three == 0, ulab.say(
    zh=f"3 月 30 日 3 点的重复记录还剩 {_at_three} 条。重复是指同一台风机、同一时刻，内容可以不同。",
    en=f"{_at_three} repeated records of 3 o'clock on 30 March are left. Repeated means the same turbine "
    "and moment; the values may differ.",
)
assert len(_cleaned) == len(_night) - 48, ulab.say(
    zh=f"这一夜应剩 {len(_night) - 48} 行，得到 {len(_cleaned)} 行。四台风机同一时刻各有一条，那不是重复。",
    en=f"That night should keep {len(_night) - 48} rows, not {len(_cleaned)}. Four turbines with a record "
    "each at one moment are no repetition.",
)
### BEGIN HIDDEN TESTS
_made = _records(
    ("B", "2015-07-01T00:10:00+02:00", 500.0, 7.0, -50.0),
    ("A", "2015-07-01T00:20:00+02:00", -3.0, 1.0, 12.0),
    ("A", "2015-07-01T00:10:00+02:00", 400.0, 6.5, -273.2),
    ("B", "2015-07-01T00:00:00+02:00", np.nan, 6.0, 20.0),
    ("A", "2015-07-01T00:00:00+02:00", 300.0, np.nan, 20.0),
    ("A", "2015-07-01T00:30:00+02:00", 0.0, 3.0, -49.0),
    ("B", "2015-07-01T00:30:00+02:00", 600.0, 7.5, np.nan),
    ("B", "2015-01-01T00:40:00+01:00", 700.0, 8.0, -30.0),
    ("B", "2015-07-01T00:50:00+02:00", 100.0, 4.9, 1.0),
    ("B", "2015-07-01T00:50:00+02:00", 110.0, 4.9, 2.0),
    ("B", "2015-07-01T00:50:00+02:00", 120.0, 4.9, 3.0),
    ("A", "2015-07-01T00:50:00+02:00", 450.0, 6.6, 9.0),
    ("A", "2015-07-01T00:50:00+02:00", np.nan, 6.6, 9.0),
)
_made.index = np.arange(len(_made))[::-1] + 100
_before = _made.copy()
_cleaned = clean(_made)
assert _made.equals(_before), ulab.say(
    zh="传进来的表被改动了。", en="The table passed in was changed."
)
assert (_cleaned["power"] == -3.0).any(), ulab.say(
    zh="负功率的行不见了。没风时风机自己用电，那是真的。",
    en="A row with negative power is gone. Without wind a turbine uses power itself: it is true.",
)
assert (_cleaned["power"] == 0.0).any(), ulab.say(
    zh="功率为 0 的行不见了。", en="A row with power 0 is gone."
)
assert (_cleaned["power"] == 400.0).any(), ulab.say(
    zh="气温是错误值的那一行整行不见了：风和功率还是好的，只把气温改成 NaN。",
    en="The whole row with a false temperature is gone: its wind and power are good, only the temperature becomes NaN.",
)
assert (_cleaned["power"] == 600.0).any(), ulab.say(
    zh="气温缺失的那一行不见了：只有 power 或 wind 缺失才去掉。",
    en="The row without temperature is gone: only rows without power or wind go.",
)
assert not (_cleaned["power"].isna() | _cleaned["wind"].isna()).any(), ulab.say(
    zh="还留着 power 或 wind 缺失的行。", en="Rows without power or wind are left."
)
assert not (_cleaned["power"] == 450.0).any(), ulab.say(
    zh="一个时刻有两条记录，一条缺了功率，另一条却留了下来：先找重复，再去掉缺失的行。",
    en="Of two records of one moment, one without power, the other is left: look for repeated moments first, then for missing values.",
)
_temperature = dict(zip(_cleaned["power"], _cleaned["temperature"]))
assert np.isnan(_temperature[400.0]), ulab.say(
    zh="−273.2 °C 应当变成 NaN。", en="−273.2 °C should become NaN."
)
assert np.isnan(_temperature[500.0]) and _temperature[0.0] == -49.0, ulab.say(
    zh="−50 °C 及以下是错误值，−49 °C 不是。", en="−50 °C and below are errors, −49 °C isn't."
)
assert _temperature[700.0] == -30.0, ulab.say(
    zh="−30 °C 在吉林是真的气温，不能当成错误值。",
    en="−30 °C is a true temperature in Jilin, no error.",
)
_want = [
    ("A", "2015-07-01 00:10"),
    ("A", "2015-07-01 00:20"),
    ("A", "2015-07-01 00:30"),
    ("B", "2015-01-01 00:40"),
    ("B", "2015-07-01 00:10"),
    ("B", "2015-07-01 00:30"),
]
_got = list(zip(_cleaned["turbine"], _cleaned["time"].dt.strftime("%Y-%m-%d %H:%M")))
assert len(_got) == len(_want), ulab.say(
    zh=f"应当剩 {len(_want)} 行，得到 {len(_got)} 行。一个时刻出现三次的，三条都要去掉。",
    en=f"{len(_want)} rows should be left, not {len(_got)}. Of a moment that comes three times, all three go.",
)
assert sorted(_got) == sorted(_want), ulab.say(
    zh="时间不对：要钟面时间，不要换算成 UTC。",
    en="The times are wrong: the face of the clock, not converted to UTC.",
)
assert _got == _want, ulab.say(
    zh="顺序不对：先按风机，再按时间。", en="The order is wrong: by turbine first, then by time."
)
assert list(_cleaned.index) == list(range(len(_cleaned))), ulab.say(
    zh="索引应当重新从 0 编号。", en="The index should count anew from 0."
)
### END HIDDEN TESTS

# %%
table = clean(raw)
learn, test = table[table["time"] < "2015"], table[table["time"] >= "2015"]
print(len(raw), "→", len(table))
table.groupby("turbine")["power"].mean().div(RATED).round(3).rename(
    ulab.say(zh="容量系数", en="capacity factor")
).to_frame()

# %% [markdown] lang="zh"
# **容量系数**（平均功率 ÷ 额定功率）大约 0.17：这里的风不算大。

# %% [markdown] lang="en"
# The **capacity factor** (mean power over rated power) is about 0.17: this is not a very windy place.

# %% [markdown] lang="zh"
# ## 二、什么样的风该发多少电
#
# 课本说：风的功率与**风速的三次方**成正比。先用它做基线。
#
# ### 写好的例子：立方律
#
# 四个子目标，后面的曲线也是同样的骨架。

# %% [markdown] lang="en"
# ## 2. How much power for which wind
#
# Textbooks say that the power in wind goes with the **cube of its speed**. Let that be the baseline.
#
# ### A worked example: the cubic law
#
# Four subgoals; the curves further down have the same skeleton.


# %%
# zh: 子目标 1：写出形式，只有一个未知数 k，而且不超过额定功率
# en: Subgoal 1: write the form, with one unknown k and never above rated power
def cubic(wind, k):
    return np.minimum(k * wind**3, RATED)


def mean_error(actual, forecast):
    return np.abs(actual - forecast).mean()


# zh: 子目标 2：只用 2014 年挑选 k
# en: Subgoal 2: choose k on 2014 alone
candidates = np.linspace(0.5, 3, 51)
k = candidates[np.argmin([mean_error(learn["power"], cubic(learn["wind"], c)) for c in candidates])]
# zh: 子目标 3：给 2015 年的每条记录算出应有的功率
# en: Subgoal 3: compute for each record of 2015 what it should have given
# zh: 子目标 4：用同一把尺子打分（平均绝对误差，kW）
# en: Subgoal 4: score by the same ruler (mean absolute error, kW)
curve_errors = {
    ulab.say(zh="2014 年平均", en="mean of 2014"): mean_error(test["power"], learn["power"].mean()),
    ulab.say(zh="立方律", en="cubic law"): mean_error(test["power"], cubic(test["wind"], k)),
}
pd.Series(curve_errors, name="MAE (kW)").round(1).to_frame()

# %% [markdown] lang="zh"
# **看图回答**：红线是立方律。哪一段偏高，哪一段偏低？图下方那一排贴着 0 的点又是什么？

# %% [markdown] lang="en"
# **Answer from the figure**: the red line is the cubic law. Where is it too high, where too low? And what are the points along the bottom, at 0?

# %%
shown = learn.sample(6000, random_state=0)
speeds = np.arange(0, 18, 0.1)
plt.figure(figsize=(7, 3.6))
plt.scatter(shown["wind"], shown["power"], s=3, alpha=0.4)
plt.plot(speeds, cubic(speeds, k), color="tab:red", label=ulab.say(zh="立方律", en="cubic law"))
plt.xlabel(ulab.say(zh="风速（m/s）", en="wind speed (m/s)"))
plt.ylabel(ulab.say(zh="功率（kW）", en="power (kW)"))
plt.legend()
plt.show()

# %% [markdown] lang="zh"
# 风机不是教科书：3 m/s 以下不启动，接近额定时主动收桨，曲线弯成 S 形。与其猜公式，不如**让数据自己画**：按风速分箱，每箱取平均功率。两个陷阱：
#
# - 底下那排点是**停机**（检修、故障、限电）。曲线要说的是风机正常时该发多少，停机的行不能算进去。
# - 大风的箱里只有几条记录，平均值不可靠，会忽高忽低。
#
# ### 第 2 题（4 分）：功率曲线
#
# 写 `power_curve(wind, power, width=0.5, fewest=10)`，`wind` 和 `power` 是索引相同的 `Series`：
#
# - 风速**至少** 5 m/s 而功率**不大于** 0 的行是停机，去掉；
# - 第 k 箱（k = 0、1、2……）是风速在 `k * width`（含）到 `(k + 1) * width`（不含）之间的行；
# - 每箱的值是平均功率；不足 `fewest` 行的箱不要；
# - 曲线从小风到大风**不下降**：某箱低于前面的箱时，取前面最大的值；
# - 返回 `Series`：索引是箱的**中点** `(k + 0.5) * width`，从小到大。
#
# <details><summary>提示 1：概念</summary>
#
# 先决定哪些行有资格，再分箱；最后才让曲线不下降。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `np.floor(wind / width)` 就是 k；`groupby(k).agg(["mean", "size"])` 同时给出平均和行数；`cummax` 是到此为止的最大值。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 筛行 → 算 k → `groupby` → 留下行数够的箱 → `pd.Series(平均.cummax().to_numpy(), index=中点)`。
# </details>

# %% [markdown] lang="en"
# A turbine is no textbook: below 3 m/s it doesn't start, near rated power it turns its blades out of the wind, and the curve bends into an S. Rather than guess a formula, **let the data draw it**: sort by wind speed into bins and take the mean power of each. There are two traps:
#
# - The points along the bottom are **stops** (maintenance, faults, curtailment). The curve should say what a healthy turbine gives, so their rows don't count.
# - Bins of strong wind hold only a few records; their means can't be relied on and jump about.
#
# ### Item 2 (4 points): the power curve
#
# Write `power_curve(wind, power, width=0.5, fewest=10)`; `wind` and `power` are `Series` with the same index:
#
# - rows with a wind of **at least** 5 m/s and a power of **at most** 0 are stops: leave them out;
# - bin k (k = 0, 1, 2 …) holds the rows with wind from `k * width` (included) to `(k + 1) * width` (not included);
# - a bin's value is its mean power; bins with fewer than `fewest` rows are left out;
# - from weak to strong wind the curve **never falls**: where a bin is below an earlier one it takes the largest value so far;
# - return a `Series` whose index is the **middle** of the bins, `(k + 0.5) * width`, ascending.
#
# <details><summary>Hint 1: the idea</summary>
#
# First decide which rows count, then sort into bins; only at the end make the curve never fall.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.floor(wind / width)` is k; `groupby(k).agg(["mean", "size"])` gives means and counts together; `cummax` is the largest value so far.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Select rows → compute k → `groupby` → keep bins with enough rows → `pd.Series(means.cummax().to_numpy(), index=middles)`.
# </details>


# %% nbgrader={"grade_id": "curve", "solution": true}
def power_curve(wind, power, width=0.5, fewest=10):
    ### BEGIN SOLUTION
    running = (wind < 5) | (power > 0)
    k = np.floor(wind[running] / width)
    bins = power[running].groupby(k).agg(["mean", "size"])
    bins = bins[bins["size"] >= fewest]
    return pd.Series(bins["mean"].cummax().to_numpy(), index=(bins.index + 0.5) * width)
    ### END SOLUTION


# %% nbgrader={"grade_id": "curve-test", "grade": true, "points": 4}
# zh: 箱的边界和中点、停机、行数太少的箱、不下降
# en: Edges and middles of bins, stops, bins with too few rows, never falling
_wind = pd.Series([4.0, 4.4, 6.0, 6.2, 6.4, 6.3, 8.1, 8.2], index=range(20, 28))
_power = pd.Series([80.0, 100.0, 300.0, 360.0, 420.0, -5.0, 900.0, 1000.0], index=range(20, 28))
_curve = power_curve(_wind, _power, fewest=2)
assert isinstance(_curve, pd.Series), ulab.say(
    zh=f"应当返回 Series，得到 {type(_curve).__name__}。",
    en=f"A Series should come back, not {type(_curve).__name__}.",
)
_middles = np.asarray(_curve.index, dtype=float)
assert _middles.tolist() != [4.0, 6.0, 8.0], ulab.say(
    zh="索引是箱的左边界，应当是中点，例如 4.0 到 4.5 的箱是 4.25。",
    en="The index holds the bins' left edges; the middle is asked for, 4.25 for the bin from 4.0 to 4.5.",
)
assert _middles.tolist() == [4.25, 6.25, 8.25], ulab.say(
    zh=f"应当有三个箱，中点 4.25、6.25、8.25；得到 {_middles.tolist()}。没有记录的箱不要；箱号向下取整。",
    en=f"There should be three bins with the middles 4.25, 6.25 and 8.25, not {_middles.tolist()}. Bins without records are left out, and a bin's number is rounded down.",
)
assert abs(_curve.iloc[1] - 268.75) > 1e-6, ulab.say(
    zh="6.25 m/s 得到 268.75 kW：把停机（6.3 m/s、−5 kW）也平均进去了。",
    en="268.75 kW at 6.25 m/s: the stop (6.3 m/s, −5 kW) was averaged in.",
)
assert np.allclose(_curve.to_numpy(), [90, 360, 950]), ulab.say(
    zh=f"应为 90、360、950 kW，得到 {np.round(_curve.to_numpy(), 1).tolist()}。",
    en=f"It should be 90, 360, 950 kW, not {np.round(_curve.to_numpy(), 1).tolist()}.",
)
### BEGIN HIDDEN TESTS
_curve = power_curve(
    pd.Series([0.2, 0.3, 2.1, 2.2, 4.9, 4.8, 5.0, 5.1, 5.0, 5.2]),
    pd.Series([-1.0, -3.0, -4.0, -6.0, -8.0, 60.0, 0.0, -7.0, 1.0, 199.0]),
    fewest=2,
)
assert len(_curve) == 4 and abs(_curve.iloc[0] + 2) < 1e-9, ulab.say(
    zh="风小时的负功率不是停机，要留在曲线里：停机是风速至少 5 m/s 而功率不大于 0。",
    en="Negative power in weak wind is no stop and belongs in the curve: a stop has at least 5 m/s and at most 0 kW.",
)
assert abs(_curve.iloc[1] + 5) > 1e-9, ulab.say(
    zh="曲线下降了：后面的箱低于前面的箱时，取前面最大的值。",
    en="The curve falls: where a bin is below an earlier one it takes the largest value so far.",
)
assert np.allclose(_curve.to_numpy(), [-2, -2, 26, 100]), ulab.say(
    zh="5 m/s 附近不对：5.0 m/s、0 kW 是停机；4.9 m/s、−8 kW 不是；5.0 m/s、1 kW 也不是。",
    en="Wrong near 5 m/s: 5.0 m/s with 0 kW is a stop, 4.9 m/s with −8 kW isn't, nor is 5.0 m/s with 1 kW.",
)
_curve = power_curve(
    pd.Series([4.1, 4.2, 6.1, 6.2, 6.3]), pd.Series([50.0, 70.0, 300.0, -2.0, 0.0]), fewest=2
)
assert np.asarray(_curve.index).tolist() == [4.25], ulab.say(
    zh="去掉停机以后不足 fewest 行的箱还留着：先去掉停机的行，再数行数。",
    en="A bin that has fewer than `fewest` rows without its stops is still there: leave out the stops first, then count.",
)
_wind = pd.Series(np.repeat([3.2, 7.0, 9.5, 14.1], [10, 9, 11, 12]))
_power = pd.Series(np.repeat([10.0, 700.0, 1300.0, 1200.0], [10, 9, 11, 12]))
_curve = power_curve(_wind, _power)
assert np.asarray(_curve.index).tolist() == [3.25, 9.75, 14.25], ulab.say(
    zh="默认每箱至少 10 行：正好 10 行的留下，9 行的不要。",
    en="By default a bin has at least 10 rows: one with exactly 10 stays, one with 9 goes.",
)
assert _curve.iloc[2] == 1300, ulab.say(
    zh="曲线在大风处下降了，应当保持前面最大的值。",
    en="The curve falls in strong wind; it should keep the largest value so far.",
)
_curve = power_curve(_wind, _power, width=2.0, fewest=9)
assert np.asarray(_curve.index).tolist() == [3.0, 7.0, 9.0, 15.0], ulab.say(
    zh="换成 width=2.0 就不对：用到参数了吗？", en="Wrong for width=2.0: is the parameter used?"
)
_random = np.random.default_rng(8)
_speeds = _random.uniform(0, 16, 3000)
_powers = np.clip(1.5 * _speeds**3 + _random.normal(0, 60, 3000), -5, RATED)
_powers[_random.random(3000) < 0.05] = -4
_curve = power_curve(pd.Series(_speeds), pd.Series(_powers), width=1.0)
_want, _largest = [], -np.inf
for _k in range(16):
    _in = (_speeds >= _k) & (_speeds < _k + 1) & ~((_speeds >= 5) & (_powers <= 0))
    _largest = max(_largest, _powers[_in].mean())
    _want.append(_largest)
assert len(_curve) == 16 and np.allclose(_curve.to_numpy(), _want), ulab.say(
    zh="3000 条随机记录，宽 1 m/s 的箱，平均功率不对。",
    en="For 3,000 random records and bins of 1 m/s the mean powers are wrong.",
)
### END HIDDEN TESTS


# %%
def expected_power(curve, wind):
    # zh: 箱与箱之间按直线过渡，两端之外取端点的值
    # en: Straight lines from bin to bin, the end values beyond
    return np.interp(wind, curve.index, curve)


curve = power_curve(learn["wind"], learn["power"])
curve_errors[ulab.say(zh="分箱", en="bins")] = mean_error(test["power"], expected_power(curve, test["wind"]))
plt.figure(figsize=(7, 3.6))
plt.scatter(shown["wind"], shown["power"], s=3, alpha=0.4)
plt.plot(curve.index, curve, "k.-", label=ulab.say(zh="你的曲线", en="your curve"))
plt.plot(speeds, cubic(speeds, k), color="tab:red", label=ulab.say(zh="立方律", en="cubic law"))
plt.xlabel(ulab.say(zh="风速（m/s）", en="wind speed (m/s)"))
plt.ylabel(ulab.say(zh="功率（kW）", en="power (kW)"))
plt.legend()
plt.show()
pd.Series(curve_errors, name="MAE (kW)").round(1).to_frame()

# %% [markdown] lang="zh"
# 误差从立方律的约 73 kW 降到约 41 kW，没有用任何公式。

# %% [markdown] lang="en"
# The error falls from about 73 kW for the cubic law to about 41 kW, without a formula.

# %% [markdown] lang="zh"
# ## 三、冷空气更有劲
#
# **先猜后算。** 同样 8 m/s 的风，0 °C 以下时风机发的电，比曲线说的多还是少？30 °C 时呢？

# %% [markdown] lang="en"
# ## 3. Cold air pushes harder
#
# **Predict, then run.** In the same wind of 8 m/s, does a turbine below 0 °C give more or less than the curve says? And at 30 °C?

# %%
my_guess = {"below 0 °C": None, "30 °C": None}

# %%
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
LIMITS = [-10, 0, 5, 10, 15, 20, 25, 40]


def residuals_by_temperature(expected):
    middle = test["wind"].between(6, 11)
    residual = (test["power"] - expected)[middle]
    return residual.groupby(pd.cut(test["temperature"][middle], LIMITS), observed=True).mean()


before = residuals_by_temperature(expected_power(curve, test["wind"]))
before.plot.bar(figsize=(7, 3), rot=0)
plt.axhline(0, color="k", lw=0.8)
plt.xlabel(ulab.say(zh="气温（°C）", en="temperature (°C)"))
plt.ylabel(ulab.say(zh="实际 − 曲线（kW）", en="actual − curve (kW)"))
plt.show()

# %% [markdown] lang="zh"
# 冷天多发，热天少发，相差一百多千瓦。冷空气更密，同样的速度带着更多的能量。风的功率正比于 $\rho v^3$，密度 $\rho$ 在气压不变时与**热力学温度**成反比。所以，气温 $t$（°C）时风速 $v$ 的风，劲头相当于 15 °C 时的
#
# $$v'=v\left(\frac{288.15}{t+273.15}\right)^{1/3}$$
#
# ### 第 3 题（3 分）：修正风速
#
# 写 `corrected_wind(wind, temperature)`，两个参数都是索引相同的 `Series`；返回修正后的风速，`Series`，索引不变。气温缺失时不修正，用原来的风速。
#
# <details><summary>提示 1：概念</summary>
#
# 算一下 −30 °C：密度是 15 °C 时的 1.185 倍，风速却只修正约 6%，因为要开三次方根。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 密度的比值先算出来，缺失处用 `fillna` 填成“不修正”对应的值。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 比值 → `fillna(…)` → `wind * 比值 ** (1 / 3)`。
# </details>

# %% [markdown] lang="en"
# More in the cold, less in the heat, more than a hundred kilowatts apart. Cold air is denser, and at the same speed it carries more energy. The power in wind goes with $\rho v^3$, and the density $\rho$, at constant pressure, with the inverse of the **absolute temperature**. So wind of speed $v$ at temperature $t$ (°C) pushes as hard as this wind does at 15 °C:
#
# $$v'=v\left(\frac{288.15}{t+273.15}\right)^{1/3}$$
#
# ### Item 3 (3 points): correct the wind speed
#
# Write `corrected_wind(wind, temperature)`; both are `Series` with the same index. Return the corrected wind speed, a `Series` with that index. Where the temperature is missing nothing is corrected: take the wind speed as it is.
#
# <details><summary>Hint 1: the idea</summary>
#
# Work out −30 °C: density is 1.185 times that at 15 °C, yet the speed is corrected by about 6 % only, because of the cube root.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Compute the ratio of densities first, and give missing ones, with `fillna`, the value that corrects nothing.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Ratio → `fillna(…)` → `wind * ratio ** (1 / 3)`.
# </details>


# %% nbgrader={"grade_id": "density", "solution": true}
def corrected_wind(wind, temperature):
    ### BEGIN SOLUTION
    density = (288.15 / (temperature + 273.15)).fillna(1)
    return wind * density ** (1 / 3)
    ### END SOLUTION


# %% nbgrader={"grade_id": "density-test", "grade": true, "points": 3}
# zh: 冷、热、15 °C，气温缺失时
# en: Cold, hot, 15 °C, and a missing temperature
_wind = pd.Series([10.0, 10.0, 10.0], index=[3, 4, 5])
_cold = corrected_wind(_wind, pd.Series([-30.0, 15.0, 35.0], index=[3, 4, 5]))
assert isinstance(_cold, pd.Series), ulab.say(
    zh=f"应当返回 Series，得到 {type(_cold).__name__}。",
    en=f"A Series should come back, not {type(_cold).__name__}.",
)
_value = float(_cold.iloc[0])
assert np.isfinite(_value) and _value > 0, ulab.say(
    zh=f"−30 °C、10 m/s 得到 {_value}：气温要加 273.15，换成热力学温度。",
    en=f"At −30 °C 10 m/s became {_value}: add 273.15 for the absolute temperature.",
)
assert _value > 10, ulab.say(
    zh=f"−30 °C、10 m/s 修正成了 {_value:.2f}：冷空气更密，应当变大。比值上下颠倒了？",
    en=f"At −30 °C 10 m/s became {_value:.2f}: cold air is denser, it should grow. Is the ratio upside down?",
)
assert abs(_value - 11.8507) > 1e-3, ulab.say(
    zh="−30 °C 得到 11.85 m/s：那是密度的比值。功率与风速的三次方有关，要开三次方根。",
    en="11.85 m/s at −30 °C: that is the ratio of densities. Power goes with the cube of speed: take the cube root.",
)
assert abs(_value - 10.5823) < 1e-3, ulab.say(
    zh=f"−30 °C、10 m/s 应约为 10.58，得到 {_value:.3f}。",
    en=f"At −30 °C 10 m/s should become about 10.58, not {_value:.3f}.",
)
### BEGIN HIDDEN TESTS
assert abs(float(_cold.iloc[1]) - 10) < 1e-9, ulab.say(
    zh="15 °C 时不应有修正。", en="At 15 °C nothing should be corrected."
)
_gap = corrected_wind(pd.Series([7.0, 8.0], index=[1, 2]), pd.Series([np.nan, 0.0], index=[1, 2]))
assert len(_gap) == 2, ulab.say(
    zh="气温缺失的行不见了。", en="The row without temperature is gone."
)
assert abs(float(_gap.iloc[0]) - 7.0) < 1e-9, ulab.say(
    zh=f"气温缺失时应当用原来的风速 7.0，得到 {_gap.iloc[0]:.2f}。",
    en=f"Without temperature the wind should stay 7.0, not {_gap.iloc[0]:.2f}.",
)
assert list(_gap.index) == [1, 2], ulab.say(zh="索引变了。", en="The index changed.")
_random = np.random.default_rng(3)
_v, _t = _random.uniform(0, 20, 50), _random.uniform(-35, 40, 50)
_want = [v * (288.15 / (t + 273.15)) ** (1 / 3) for v, t in zip(_v, _t)]
assert np.allclose(corrected_wind(pd.Series(_v), pd.Series(_t)).to_numpy(), _want), ulab.say(
    zh="随机的风速和气温下，与公式不符。",
    en="For random winds and temperatures it differs from the formula.",
)
### END HIDDEN TESTS

# %%
wind_learn = corrected_wind(learn["wind"], learn["temperature"])
wind_test = corrected_wind(test["wind"], test["temperature"])
curve = power_curve(wind_learn, learn["power"])
expected = pd.Series(expected_power(curve, wind_test), index=test.index)
curve_errors[ulab.say(zh="分箱 + 密度", en="bins + density")] = mean_error(test["power"], expected)
both = pd.DataFrame(
    {
        ulab.say(zh="修正前", en="before"): before,
        ulab.say(zh="修正后", en="after"): residuals_by_temperature(expected),
    }
)
both.plot.bar(figsize=(7, 3), rot=0)
plt.axhline(0, color="k", lw=0.8)
plt.xlabel(ulab.say(zh="气温（°C）", en="temperature (°C)"))
plt.ylabel(ulab.say(zh="实际 − 曲线（kW）", en="actual − curve (kW)"))
plt.show()
pd.Series(curve_errors, name="MAE (kW)").round(1).to_frame()

# %% [markdown] lang="zh"
# 修正以后，冷热两端的偏差大约减半，MAE 降到约 38 kW，但没有消失：季节还会改变湍流和气压。记住这张图再去白城：用夏天学的曲线去判断零下三十度的风机，会把**每一台都判成“超常发挥”**，真正的毛病就被盖住了。

# %% [markdown] lang="en"
# The correction about halves the bias at both ends and brings MAE to about 38 kW, but some is left: seasons change turbulence and pressure too. Remember this plot when you go to Baicheng: a curve learnt in summer would find **every turbine "better than it should be"** at 30 below, and a true defect would hide behind that.

# %% [markdown] lang="zh"
# ## 四、停机还是无风
#
# 功率为 0，有两种原因：没风，或者有风却停着。报警系统若不分这两种，值班员一夜会收到几十次误报，然后学会不看它。曲线现在派上用场：**该发电而没有发电**才是停机。
#
# ### 第 4 题（4 分）：找出停机
#
# 写 `find_stops(power, expected, least=3)`：一台风机按时间排好的两个一维 NumPy 数组，实际功率和曲线给出的应有功率（kW）。返回同样长的布尔数组：
#
# - *候选*：应有功率至少为额定（`RATED`）的 10%，而实际功率小于应有功率的 10%；
# - 连续至少 `least` 条都是候选，才算停机（整段都标 `True`）；更短的可能只是一阵风刚过去，不算。
#
# <details><summary>提示 1：概念</summary>
#
# 先逐条判断，再看连成的段有多长。段首段尾、整个数组的开头和结尾都要想到。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 候选值一变就开始新的一段：`(c != c.shift()).cumsum()` 给每一段编号，`groupby(编号).transform("size")` 给每条记录它那一段的长度。
# </details>
# <details><summary>提示 3：形状</summary>
#
# `c = pd.Series(条件 & 条件)` → 段号 → 段长 → `(c & (段长 >= least)).to_numpy()`。
# </details>

# %% [markdown] lang="en"
# ## 4. A stop or a calm
#
# Power is 0 for two reasons: there is no wind, or there is wind and the turbine stands. An alarm that can't tell them apart rings dozens of times a night, and people learn to ignore it. Now the curve pays: a stop is **power that should be there and isn't**.
#
# ### Item 4 (4 points): find the stops
#
# Write `find_stops(power, expected, least=3)`: two one-dimensional NumPy arrays of one turbine in the order of time, the actual power and the power the curve expects (kW). Return a boolean array of that length:
#
# - a *candidate* should give at least 10 % of rated power (`RATED`) and gives less than 10 % of what is expected;
# - only where at least `least` candidates follow each other it is a stop (the whole stretch is `True`); a shorter one may be a gust just gone by.
#
# <details><summary>Hint 1: the idea</summary>
#
# Judge each record first, then see how long the stretches are. Think of where they begin and end, and of both ends of the array.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# A new stretch begins whenever the candidate changes: `(c != c.shift()).cumsum()` numbers the stretches, and `groupby(number).transform("size")` gives each record the length of its own.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `c = pd.Series(condition & condition)` → numbers → lengths → `(c & (lengths >= least)).to_numpy()`.
# </details>


# %% nbgrader={"grade_id": "stops", "solution": true}
def find_stops(power, expected, least=3):
    ### BEGIN SOLUTION
    standing = pd.Series((expected >= 0.1 * RATED) & (power < 0.1 * expected))
    stretch = (standing != standing.shift()).cumsum()
    length = standing.groupby(stretch).transform("size")
    return (standing & (length >= least)).to_numpy()
    ### END SOLUTION


# %% nbgrader={"grade_id": "stops-test", "grade": true, "points": 4}
# zh: 无风、短暂的低谷、边界，以及人为放进真实记录的停机
# en: Calms, short dips, edges, and stops put into real records by hand
_power = np.array([-2.0, -2, -2, -2, 600, -5, -5, -5, -5, 620, 0, 0, 610])
_expect = np.array([0.0, 5, 10, 3, 610, 700, 650, 640, 600, 600, 600, 600, 600])
_found = np.asarray(find_stops(_power, _expect))
assert _found.shape == (13,) and _found.dtype == bool, ulab.say(
    zh=f"应返回 13 个布尔值，得到形状 {_found.shape}、类型 {_found.dtype}。",
    en=f"Return 13 booleans, not shape {_found.shape} of {_found.dtype}.",
)
assert not _found[:4].any(), ulab.say(
    zh="没风的时候也报了停机：应有功率本来就接近 0。候选要求应有功率至少为额定的 10%。",
    en="A calm was called a stop: next to nothing was expected. A candidate should give at least 10 % of rated power.",
)
assert not _found[10:12].any(), ulab.say(
    zh="只有两条的低谷也报了停机：连续至少 least 条才算。",
    en="A dip of two records was called a stop: at least `least` have to follow each other.",
)
assert not (_found[7:9].all() and not _found[5:7].any()), ulab.say(
    zh="停机的前两条没有标出来：够长以后，整段都要标，从第一条开始。",
    en="The first two records of the stop are missing: once it is long enough the whole stretch counts.",
)
assert _found[5:9].all() and _found.sum() == 4, ulab.say(
    zh=f"应当标出第 5 到 8 条，得到 {np.flatnonzero(_found).tolist()}：段首和段尾也要标。",
    en=f"Records 5 to 8 should be found, not {np.flatnonzero(_found).tolist()}: both ends of the stretch too.",
)
### BEGIN HIDDEN TESTS
_found = np.asarray(find_stops(np.full(4, 20.4), np.full(4, 205.0)))
assert _found.all(), ulab.say(
    zh="整个数组都是停机（应有 205、实际 20.4 kW）却没有全标出来。至少 10% 包括正好 10%。",
    en="All of the array is a stop (205 kW expected, 20.4 given) and not all was found. At least 10 % includes exactly 10 %.",
)
_found = np.asarray(find_stops(np.full(4, 0.0), np.full(4, 204.0)))
assert not _found.any(), ulab.say(
    zh="应有 204 kW 不到额定的 10%，不算候选。",
    en="204 kW expected is less than 10 % of rated power: no candidate.",
)
_found = np.asarray(find_stops(np.full(4, 100.0), np.full(4, 1000.0)))
assert not _found.any(), ulab.say(
    zh="实际正好是应有的 10%，不算候选（要小于）。",
    en="Exactly 10 % of what is expected is no candidate (less is).",
)
_found = np.asarray(find_stops(np.full(5, 150.0), np.full(5, 1900.0)))
assert _found.all(), ulab.say(
    zh="大风里停着的风机有时还报一点点功率（应有 1900、实际 150 kW）：要和应有功率比，不是看是否为 0。",
    en="A turbine that stands in strong wind may still report a little (1,900 kW expected, 150 given): compare with what is expected, not with 0.",
)
_found = np.asarray(find_stops(np.full(5, 150.0), np.full(5, 1000.0)))
assert not _found.any(), ulab.say(
    zh="应有 1000、实际 150 kW 不是停机：比例是应有功率的 10%，不是额定的。",
    en="1,000 kW expected and 150 given is no stop: the share is 10 % of what is expected, not of rated power.",
)
_power = np.array([0.0, 0, 900, 0, 0, 900, 0, 0, 0])
_found = np.asarray(find_stops(_power, np.full(9, 900.0)))
assert _found[6:].all(), ulab.say(
    zh="结尾那一段没有标全：正好连续 least 条也算停机，到数组结尾为止的一段也算。",
    en="The stretch at the end isn't all found: exactly `least` in a row are a stop, also where the array ends.",
)
assert not _found[:6].any(), ulab.say(
    zh="被正常记录隔开的候选不能加在一起：要的是连续。",
    en="Candidates with a healthy record between them don't add up: they have to follow each other.",
)
_found = np.asarray(find_stops(_power, np.full(9, 900.0), least=2))
assert _found.sum() == 7, ulab.say(
    zh="换成 least=2 就不对：用到这个参数了吗？", en="Wrong for least=2: is the parameter used?"
)
_random = np.random.default_rng(12)
_expect = 900 + 700 * np.sin(np.arange(3000) / 40) + _random.normal(0, 30, 3000)
_power = np.clip(_expect * _random.normal(1, 0.1, 3000), -5, RATED)
_truth = np.zeros(3000, dtype=bool)
for _start in _random.permutation(np.arange(20, 2950, 60))[:20]:
    _truth[_start : _start + int(_random.integers(6, 40))] = True
_power[_truth] = -4.0
_found = np.asarray(find_stops(_power, _expect))
_right = (_found & _truth).sum()
assert _right / _found.sum() > 0.98, ulab.say(
    zh=f"放进 20 次停机：标出的记录里只有 {_right / _found.sum():.0%} 是真的停机。",
    en=f"Of 20 stops put in by hand: only {_right / _found.sum():.0%} of the records found are true stops.",
)
_windy = _truth & (_expect >= 205)
assert (_found & _windy).sum() / _windy.sum() > 0.98, ulab.say(
    zh=f"放进 20 次停机：有风时的停机只找到 {(_found & _windy).sum() / _windy.sum():.0%}。",
    en=f"Of 20 stops put in by hand: only {(_found & _windy).sum() / _windy.sum():.0%} of the windy records were found.",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# **先猜后算。** 2015 年四台风机各停了多少小时？最多的那台损失了多少 MWh？（全场一年约发 13400 MWh。）

# %% [markdown] lang="en"
# **Predict, then run.** For how many hours did each turbine stand still in 2015, and how many MWh did the worst lose? (The farm gave about 13,400 MWh that year.)

# %%
my_guess = {"hours": None, "MWh": None}

# %%
stopped = pd.concat(
    [
        pd.Series(find_stops(rows["power"].to_numpy(), expected[rows.index].to_numpy()), rows.index)
        for _, rows in test.groupby("turbine")
    ]
)
lost = (expected - test["power"]).where(stopped, 0) / 6 / 1000
neighbours = test.assign(running=test["power"].where(~stopped))
pivot = neighbours.pivot(index="time", columns="turbine", values="running")
others = pd.DataFrame({name: pivot.drop(columns=name).mean(axis=1) for name in pivot})
by_others = pd.Series(
    others.stack().reindex(pd.MultiIndex.from_frame(test[["time", "turbine"]])).to_numpy(),
    index=test.index,
)
lost_by_others = (by_others - test["power"]).where(stopped, 0) / 6 / 1000
losses = pd.DataFrame(
    {
        ulab.say(zh="停机（h）", en="stopped (h)"): stopped.groupby(test["turbine"]).sum() / 6,
        ulab.say(zh="按曲线的损失（MWh）", en="lost, by the curve (MWh)"): lost.groupby(test["turbine"]).sum(),
        ulab.say(zh="按邻机的损失（MWh）", en="lost, by the neighbours (MWh)"): lost_by_others.groupby(test["turbine"]).sum(),
    }
)
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
losses.round(1)

# %% [markdown] lang="zh"
# 损失的电量估了两次：一次按曲线，用停着的风机**自己的**风速计；一次按同一时刻还在转的邻机的平均功率。两种估计不同，因为风速计装在叶轮后面，叶轮停着和转着，它读到的风不一样；而邻机站的位置不同。第 7 题要用到这张表。下面看停得最久的一次。

# %% [markdown] lang="en"
# The lost energy is estimated twice: by the curve, with the standing turbine's **own** anemometer, and by the mean power of the neighbours that were turning at that moment. The two differ: the anemometer sits behind the rotor and reads another wind when the rotor stands, and the neighbours stand elsewhere. Item 7 needs this table. Below, the longest stop.

# %%
run = (stopped != stopped.shift()).cumsum()
longest = run[stopped].value_counts().index[0]
inside = test.loc[run[run == longest].index]
around = test[
    (test["turbine"] == inside["turbine"].iloc[0])
    & test["time"].between(
        inside["time"].min() - pd.Timedelta("12h"), inside["time"].max() + pd.Timedelta("12h")
    )
]
plt.figure(figsize=(10, 3))
plt.plot(around["time"], expected[around.index], label=ulab.say(zh="应有", en="expected"))
plt.plot(around["time"], around["power"], label=ulab.say(zh="实际", en="actual"))
plt.title(inside["turbine"].iloc[0])
plt.ylabel(ulab.say(zh="功率（kW）", en="power (kW)"))
plt.xticks(rotation=20)
plt.legend()
plt.show()

# %% [markdown] lang="zh"
# ## 五、接下来会发多少
#
# 现在把四台加成全场，按小时平均。预测 h 小时以后的功率，有两种不花钱的办法：
#
# - **持续法**：h 小时以后和现在一样；
# - **平均值**：不管现在，永远报 2014 年的平均。
#
# **先猜后算。** 提前 1 小时，谁准？提前 24 小时呢？

# %% [markdown] lang="en"
# ## 5. How much comes next
#
# Now add the four up to the farm, averaged by the hour. For the power h hours ahead there are two ways that cost nothing:
#
# - **persistence**: in h hours it will be as it is now;
# - **the mean**: whatever is now, always say the mean of 2014.
#
# **Predict, then run.** Which is better 1 hour ahead? And 24 hours ahead?

# %%
my_guess = {"1 h": None, "24 h": None}

# %%
turbines = table.pivot(index="time", columns="turbine", values="power").asfreq("10min")
farm = turbines.sum(axis=1, min_count=4).resample("h").mean()
farm_learn, farm_test = farm[farm.index < "2015"], farm[farm.index >= "2015"]
average = farm_learn.mean()


def rmse(actual, forecast):
    return np.sqrt(((actual - forecast) ** 2).mean())


print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
for hours in (1, 24):
    persistence = rmse(farm_test, farm.shift(hours)[farm_test.index])
    print(hours, "h", round(persistence), "/", round(rmse(farm_test, average)), "kW")

# %% [markdown] lang="zh"
# 一小时靠持续，一天靠平均。何必二选一？把“现在偏离平均多少”按一个权重打折：
#
# $$\hat p_{t+h}=\bar p+w_h\,(p_t-\bar p)$$
#
# 误差平方最小的权重正好是**相隔 h 小时的相关系数**：还相关就多信现在，不相关就退回平均。
#
# ### 第 5 题（4 分）：持续与平均的混合
#
# 写两个函数，`power` 是每小时一个值的 `Series`，可能有 `NaN`：
#
# - `lag_weight(power, hours)`：`power` 与 `hours` 小时以前的自己的相关系数（有缺失的小时不计），返回一个数；
# - `mix_forecast(power, hours, weight, average)`：返回索引相同的 `Series`，**每一小时的值是对这一小时的预测**，只用 `hours` 小时以前的功率。那时的功率不知道（开头或缺失）时，报 `average`。
#
# <details><summary>提示 1：概念</summary>
#
# 自问：把 18 点以后的功率全部改掉，提前 1 小时对 18 点的预测会变吗？不会变才对。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `power.shift(hours)` 在每一小时放上 `hours` 小时以前的值；`Series.corr` 自己会跳过 `NaN`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 第一个函数一行；第二个：平均 + 权重 ×（推后的功率 − 平均），再 `fillna`。
# </details>

# %% [markdown] lang="en"
# Persistence for an hour, the mean for a day. Why choose? Discount "how far from the mean we are now" by a weight:
#
# $$\hat p_{t+h}=\bar p+w_h\,(p_t-\bar p)$$
#
# The weight with the smallest squared error is just the **correlation at h hours apart**: while it lasts trust the present, when it is gone return to the mean.
#
# ### Item 5 (4 points): a mix of persistence and mean
#
# Write two functions; `power` is a `Series` with a value each hour and may hold `NaN`:
#
# - `lag_weight(power, hours)`: the correlation of `power` with itself `hours` hours earlier (hours with gaps don't count), a number;
# - `mix_forecast(power, hours, weight, average)`: a `Series` with the same index, in which **the value of each hour is the forecast for that hour**, made only from the power `hours` hours earlier. Where that isn't known (at the start, or missing) say `average`.
#
# <details><summary>Hint 1: the idea</summary>
#
# Ask: if all power from 18:00 on were changed, would the forecast for 18:00, made 1 hour ahead, move? It mustn't.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `power.shift(hours)` puts into each hour the value of `hours` hours earlier; `Series.corr` skips `NaN` by itself.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# The first function is one line; the second: average + weight × (moved power − average), then `fillna`.
# </details>


# %% nbgrader={"grade_id": "mix", "solution": true}
def lag_weight(power, hours):
    ### BEGIN SOLUTION
    return power.corr(power.shift(hours))


def mix_forecast(power, hours, weight, average):
    return (average + weight * (power.shift(hours) - average)).fillna(average)
    ### END SOLUTION


# zh: 接着写 mix_forecast(power, hours, weight, average)
# en: Now write mix_forecast(power, hours, weight, average)

# %% nbgrader={"grade_id": "mix-test", "grade": true, "points": 4}
# zh: 权重等于相关系数，预测只用过去，未知时报平均值
# en: The weight is the correlation, the forecast uses the past alone, the unknown becomes the mean
_hours = pd.date_range("2015-02-01", periods=6, freq="h")
_six = pd.Series([100.0, 500.0, 300.0, np.nan, 800.0, 600.0], _hours)
_made = mix_forecast(_six.copy(), 1, 0.5, 400.0)
assert isinstance(_made, pd.Series) and _made.index.equals(_hours), ulab.say(
    zh="应返回 Series，索引与 power 相同。",
    en="Return a Series with the index of power.",
)
assert abs(float(_made.iloc[2]) - 350) > 1e-6, ulab.say(
    zh="第 2 小时的预测用了第 2 小时自己的功率：那正是要预测的。先 shift(hours)。",
    en="The forecast for hour 2 uses the power of hour 2 itself, which is what we forecast. shift(hours) first.",
)
assert abs(float(_made.iloc[1]) - 350) > 1e-6, ulab.say(
    zh="第 1 小时的预测用了第 2 小时的功率：方向反了，shift(-1) 是未来。",
    en="The forecast for hour 1 uses the power of hour 2: the wrong direction, shift(-1) is the future.",
)
assert not np.allclose(_made.iloc[[1, 2, 3, 5]], [280, 480, 380, 630]), ulab.say(
    zh="用的是 power 自己的平均：那里面有未来。要用传进来的 average。",
    en="The mean of power itself was used, and the future is in it. Use the `average` that is passed in.",
)
assert np.allclose(_made.iloc[[1, 2, 3, 5]], [250, 450, 350, 600]), ulab.say(
    zh=f"第 1、2、3、5 小时应为 250、450、350、600 kW，得到 {_made.iloc[[1, 2, 3, 5]].tolist()}。权重乘在“偏离平均多少”上。",
    en=f"Hours 1, 2, 3, 5 should be 250, 450, 350, 600 kW, not {_made.iloc[[1, 2, 3, 5]].tolist()}. The weight multiplies how far from the mean we are.",
)
### BEGIN HIDDEN TESTS
assert not _made.isna().any(), ulab.say(
    zh="不知道过去的小时得到了 NaN，应当报平均值。",
    en="Where the past isn't known the forecast is NaN; it should be the mean.",
)
assert np.allclose(_made.iloc[[0, 4]], 400), ulab.say(
    zh="不知道过去的小时应当报 average。", en="Where the past isn't known, say `average`."
)
_random = np.random.default_rng(6)
_long = pd.Series(1000.0, pd.date_range("2015-03-01", periods=400, freq="h"))
for _i in range(1, 400):
    _long.iloc[_i] = 1000 + 0.8 * (_long.iloc[_i - 1] - 1000) + _random.normal(0, 200)
_values = _long.to_numpy()
for _ahead in (1, 5, 24):
    _made = mix_forecast(_long.copy(), _ahead, 0.7, 900.0)
    _changed = _long.copy()
    _changed.iloc[200:] += 5000
    _moved = np.flatnonzero(
        mix_forecast(_changed, _ahead, 0.7, 900.0).to_numpy() != _made.to_numpy()
    )
    assert len(_moved) and _moved[0] >= 200 + _ahead, ulab.say(
        zh=f"偷看了：提前 {_ahead} 小时的预测，用到了 {_ahead} 小时以内的功率。",
        en=f"A peek: the forecast {_ahead} hours ahead uses power from less than {_ahead} hours before.",
    )
    _want = 900 + 0.7 * (_values[:-_ahead] - 900)
    assert np.allclose(_made.to_numpy()[_ahead:], _want), ulab.say(
        zh=f"提前 {_ahead} 小时的预测与公式不符：hours、weight、average 三个参数都用到了吗？",
        en=f"The forecast {_ahead} hours ahead differs from the formula: are hours, weight and average all used?",
    )
    _value = float(lag_weight(_long, _ahead))
    _want = np.corrcoef(_values[_ahead:], _values[:-_ahead])[0, 1]
    assert abs(_value - 1) > 1e-6, ulab.say(
        zh="权重得到 1：与自己没有错开 hours 小时。",
        en="The weight is 1: the two aren't moved apart by hours.",
    )
    assert abs(_value - _want) < 1e-6, ulab.say(
        zh=f"相隔 {_ahead} 小时的相关系数应为 {_want:.3f}，得到 {_value:.3f}。",
        en=f"The correlation {_ahead} hours apart is {_want:.3f}, not {_value:.3f}.",
    )
_holes = _long.copy()
_holes.iloc[50:300:7] = np.nan
_value = float(lag_weight(_holes, 1))
_pairs = np.c_[_holes.to_numpy()[1:], _holes.to_numpy()[:-1]]
_pairs = _pairs[~np.isnan(_pairs).any(axis=1)]
assert abs(_value - np.corrcoef(_pairs.T)[0, 1]) < 1e-6, ulab.say(
    zh="有缺失的小时，相关系数不对：先错开，再去掉缺失的对；先去掉缺失，时间就错位了。缺失的也不要用 0 或平均值去填。",
    en="Wrong with gaps: move first, then leave out pairs with gaps. If gaps go first, time is out of step. Don't fill gaps with 0 or the mean either.",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 三条线画出来。混合应当**处处不差于**另外两条。

# %% [markdown] lang="en"
# Draw the three. The mix should be **nowhere worse** than the other two.

# %%
horizons = np.arange(1, 49)
weights = [lag_weight(farm_learn, int(h)) for h in horizons]
mixes = [mix_forecast(farm, int(h), w, average) for h, w in zip(horizons, weights)]
plt.figure(figsize=(8, 3.4))
persisted = [rmse(farm_test, farm.shift(int(h))[farm_test.index]) for h in horizons]
plt.plot(horizons, persisted, label=ulab.say(zh="持续法", en="persistence"))
plt.axhline(rmse(farm_test, average), color="k", ls=":", label=ulab.say(zh="平均值", en="the mean"))
mixed = [rmse(farm_test, made[farm_test.index]) for made in mixes]
plt.plot(horizons, mixed, label=ulab.say(zh="混合", en="the mix"))
plt.xlabel(ulab.say(zh="提前的小时数", en="hours ahead"))
plt.ylabel(ulab.say(zh="RMSE（kW）", en="RMSE (kW)"))
plt.legend()
plt.show()

# %% [markdown] lang="zh"
# ## 六、技巧：比谁好多少
#
# “RMSE 1600 kW”好不好？没有参照就说不清。**技巧评分**把预测和参照放在同一批小时上比：
#
# $$\text{skill}=1-\left(\frac{\text{RMSE}_\text{预测}}{\text{RMSE}_\text{参照}}\right)^2$$
#
# 1 是完美，0 是和参照一样，**负数**是还不如参照。
#
# ### 第 6 题（3 分）：技巧评分
#
# 写 `skill(actual, forecast, reference)`，三个一维 NumPy 数组，可能有 `NaN`；只用**三者都不缺**的小时，返回一个数。
#
# <details><summary>提示 1：概念</summary>
#
# 如果参照在难的那几小时恰好缺失，而预测没有，两个 RMSE 就不是同一张考卷上的分数。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `np.isnan(actual + forecast + reference)`：三个里有一个缺，和就缺。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 一个布尔数组选出小时 → 两个平均平方误差 → 1 减去比值（先平方再平均，就不用再平方）。
# </details>

# %% [markdown] lang="en"
# ## 6. Skill: better than what
#
# Is an "RMSE of 1,600 kW" good? Without a reference nobody can tell. The **skill score** compares a forecast with a reference on the same hours:
#
# $$\text{skill}=1-\left(\frac{\text{RMSE}_\text{forecast}}{\text{RMSE}_\text{reference}}\right)^2$$
#
# 1 is perfect, 0 is as good as the reference, **below 0** is worse than it.
#
# ### Item 6 (3 points): the skill score
#
# Write `skill(actual, forecast, reference)`, three one-dimensional NumPy arrays that may hold `NaN`; use only hours in which **none of the three** is missing, and return a number.
#
# <details><summary>Hint 1: the idea</summary>
#
# If the reference happens to be missing in the hard hours and the forecast isn't, the two RMSE come from different exams.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.isnan(actual + forecast + reference)`: where one of the three is missing, so is the sum.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# One boolean array selects the hours → two mean squared errors → 1 minus their ratio (mean squares need no more squaring).
# </details>


# %% nbgrader={"grade_id": "skill", "solution": true}
def skill(actual, forecast, reference):
    ### BEGIN SOLUTION
    known = ~np.isnan(actual + forecast + reference)
    own = ((actual - forecast)[known] ** 2).mean()
    theirs = ((actual - reference)[known] ** 2).mean()
    return 1 - own / theirs
    ### END SOLUTION


# %% nbgrader={"grade_id": "skill-test", "grade": true, "points": 3}
# zh: 手算的例子、比参照差的预测、缺失的小时
# en: A case done by hand, a forecast worse than its reference, missing hours
_actual = np.array([10.0, 20.0, 30.0, 40.0])
_forecast = np.array([11.0, 19.0, 31.0, 39.0])
_reference = np.array([12.0, 18.0, 32.0, 38.0])
_value = float(skill(_actual, _forecast, _reference))
assert abs(_value - 0.5) > 1e-6, ulab.say(
    zh="得到 0.5：RMSE 的比值忘了平方。", en="0.5: the ratio of the RMSE wasn't squared."
)
assert abs(_value + 3) > 1e-6, ulab.say(
    zh="得到 −3：预测和参照弄反了。", en="−3: forecast and reference are swapped."
)
assert abs(_value - 0.25) > 1e-6, ulab.say(
    zh="得到 0.25：这是误差之比，技巧是 1 减去它。",
    en="0.25: that is the ratio of the errors; skill is 1 minus it.",
)
assert abs(_value - 0.75) < 1e-9, ulab.say(
    zh=f"应为 0.75，得到 {_value:.3f}。", en=f"It should be 0.75, not {_value:.3f}."
)
### BEGIN HIDDEN TESTS
_value = float(skill(_actual, _actual[::-1].copy(), _reference))
assert abs(_value - (1 - 500 / 4)) < 1e-6, ulab.say(
    zh="预测比参照差得多时，技巧是负数，不要截成 0。注意先平方再平均，不是误差绝对值之比。",
    en="For a forecast far worse than its reference skill is negative; don't clip it. Square first, then average: it isn't a ratio of absolute errors.",
)
_holes = [_actual.copy(), np.array([11.0, 19.0, 36.0, 39.0]), np.array([12.0, 18.0, np.nan, 44.0])]
_value = float(skill(*_holes))
assert np.isfinite(_value), ulab.say(
    zh="有缺失的小时，得到 NaN：先选出三者都不缺的小时。",
    en="With a missing hour the result is NaN: select the hours in which none is missing.",
)
assert abs(_value - 0.875) < 1e-9, ulab.say(
    zh="参照缺失的那一小时还算进了预测的误差：两边要用同一批小时。",
    en="The hour in which the reference is missing still counts for the forecast: both need the same hours.",
)
_holes = [np.array([10.0, 20, 30, np.nan]), np.array([14.0, np.nan, 31, 39]), _reference]
assert abs(float(skill(*_holes)) - (1 - 17 / 8)) < 1e-9, ulab.say(
    zh="实际或预测有缺失时不对。", en="Wrong where actual or forecast is missing."
)
_random = np.random.default_rng(4)
_a, _f, _r = _random.normal(900, 300, (3, 200))
_want = 1 - sum((a - f) ** 2 for a, f in zip(_a, _f)) / sum((a - r) ** 2 for a, r in zip(_a, _r))
assert abs(float(skill(_a, _f, _r)) - _want) < 1e-9, ulab.say(
    zh="200 个随机值的技巧不对。", en="Wrong for 200 random values."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# **先猜后算。** 提升树知道最近 24 小时、一天中的时刻和月份。提前 24 小时，它比只有两个数的混合好多少？

# %% [markdown] lang="en"
# **Predict, then run.** Boosted trees know the last 24 hours, the hour of the day and the month. At 24 hours ahead, by how much do they beat the mix, which has two numbers?

# %%
my_guess = None


# %%
def tree_forecast(hours):
    inputs = pd.DataFrame(
        {f"lag {lag}": farm.shift(hours + lag) for lag in (0, 1, 2, 3, 6, 12, 23)}
    )
    inputs["hour"], inputs["month"] = farm.index.hour, farm.index.month
    rows = farm_learn.dropna().index
    model = HistGradientBoostingRegressor(learning_rate=0.05, max_iter=80, random_state=0)
    model.fit(inputs.loc[rows], farm_learn[rows])
    return pd.Series(model.predict(inputs), farm.index)


forecasts, scores = {}, []
for hours in (1, 6, 24):
    forecasts[hours] = {
        "persistence": farm.shift(hours),
        "mean": pd.Series(average, farm.index),
        "mix": mix_forecast(farm, hours, lag_weight(farm_learn, hours), average),
        "trees": tree_forecast(hours),
    }
    actual = farm_test.to_numpy()
    for name, made in forecasts[hours].items():
        made = made[farm_test.index].to_numpy()
        best = min(("persistence", "mean"), key=lambda way: rmse(farm_test, forecasts[hours][way]))
        reference = forecasts[hours][best][farm_test.index].to_numpy()
        scores.append(
            {
                "hours": hours,
                "name": name,
                "RMSE (kW)": np.sqrt(np.nanmean((actual - made) ** 2)),
                "skill": skill(actual, made, reference),
            }
        )
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
scores = pd.DataFrame(scores)
shown_as = {
    "persistence": ulab.say(zh="持续法", en="persistence"),
    "mean": ulab.say(zh="平均值", en="mean"),
    "mix": ulab.say(zh="混合", en="mix"),
    "trees": ulab.say(zh="提升树", en="trees"),
}
(
    scores.pivot(index="name", columns="hours", values=["RMSE (kW)", "skill"])
    .rename(index=shown_as)
    .round(2)
)

# %% [markdown] lang="zh"
# 参照取持续法和平均值里较好的一个。提前 24 小时，树**不如**两个数的混合：只看过去的功率，里面已经没有更多可学的了，多出来的参数只学到 2014 年的巧合。要再进一步，得有**天气预报**。如果用再分析资料（例如 ERA5）代替天气预报，成绩会很漂亮，却是事后诸葛：再分析是事后用观测订正过的，当时没有人知道。

# %% [markdown] lang="en"
# The reference is the better of persistence and mean. At 24 hours the trees are **worse** than the mix of two numbers: past power alone has no more to teach, and more parameters learn the accidents of 2014. To get further one needs **a weather forecast**. A reanalysis (such as ERA5) in its place would give a splendid score in hindsight: it was corrected by observations afterwards, and nobody had it at the time.

# %% [markdown] lang="zh"
# ## 七、记下实验
#
# 把每种办法在**同样的 2015 年**上的成绩记进 MLflow。运行后打开这个实验页面上的“我的运行记录”，全选，点 Compare：按 `skill` 排序，名次随 `hours` 怎样变？

# %% [markdown] lang="en"
# ## 7. Log the experiment
#
# Log each way with its scores on **the same year 2015** to MLflow. Then open "My runs" on this lab's page, select all and press Compare: sorted by `skill`, how does the order change with `hours`?

# %%
if not ulab.grading():
    for row in scores.to_dict("records"):
        with ulab.track(f"{row['name']} {row['hours']} h", hours=row["hours"]) as run:
            run.log(rmse=row["RMSE (kW)"], skill=row["skill"])

# %% [markdown] lang="zh"
# ## 八、停机值多少钱
#
# ### 第 7 题（4 分，由教师评分）：停机值多少钱
#
# 运维公司想知道，2015 年的停机让电场少收入多少，值不值得装你的报警。**假设**每千瓦时 0.3 元（这是本题的假设，不是真实电价）。用 150–300 字回答：
#
# 1. 用第四节的表算出四台合计损失的 MWh 和钱，两种估计都要，1 分；
# 2. 两种估计为什么不同，你更相信哪一种，1 分；
# 3. 这些“停机”里可能有哪些**不是故障**，只凭这份数据分不分得出，1 分；
# 4. 把报警搬到白城之前，必须重新检验什么，至少用到本实验的一个数字，1 分。

# %% [markdown] lang="en"
# ## 8. What a stop costs
#
# ### Item 7 (4 points, graded by your instructor): what a stop costs
#
# The maintenance company asks how much income the stops of 2015 cost, and whether your alarm is worth having. **Assume** 0.3 yuan for each kWh (an assumption of this item, no real price). Answer in 100–200 words:
#
# 1. from the table of section 4, the MWh and the money lost by all four, by both estimates, 1 point;
# 2. why the estimates differ, and which you trust more, 1 point;
# 3. which of these "stops" may be **no faults**, and whether this data can tell, 1 point;
# 4. what has to be tested again before the alarm goes to Baicheng, with at least one figure from this lab, 1 point.

# %% [markdown] lang="zh" nbgrader={"grade_id": "worth", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **评分要点**（每条 1 分）
#
# 1. 按曲线约 150 MWh，约 4.5 万元；按邻机约 133 MWh，约 4.0 万元（150 MWh = 150000 kWh × 0.3 元）。单位换算错不给分。
# 2. 曲线用的是停着的风机自己的风速计，它在叶轮后面，叶轮停转时读到的风不同；邻机站在别处，也可能有一台在停。选哪一种都行，要有理由。
# 3. 例如计划检修、电网限电、结冰保护、噪声或鸟类限制、人为停机。这份数据没有告警和检修日志，分不出来。只列名称、不说分不分得出，不给分。
# 4. 例如：用当地数据重画曲线，检验低温段的偏差（本实验修正后，0 °C 以下仍多发约 33 kW，25 °C 以上少发约 43 kW；修正前约 67 和 79 kW）；时钟；叶片结冰时的误报；先用人为放入的停机测精确率和召回率。
#
# **参考答案**：按曲线，四台合计少发约 149.6 MWh，按每千瓦时 0.3 元约 4.5 万元；按邻机约 133.1 MWh，约 4.0 万元，占全年约 13400 MWh 的 1% 左右。差别在于停着的风机的风速计装在叶轮后面，叶轮不转时读数会变，我更相信邻机，但邻机不在同一点。停机里可能有计划检修、限电和结冰保护，这份数据没有日志，分不出。搬到白城之前要用当地一整个冬天的数据重画曲线：在这里，修正密度后 0 °C 以下仍有约 33 kW 的偏差，而白城比这里冷得多；还要检验叶片结冰时的误报。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "worth", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **Rubric** (1 point each)
#
# 1. About 150 MWh and 45,000 yuan by the curve, about 133 MWh and 40,000 yuan by the neighbours (150 MWh = 150,000 kWh × 0.3 yuan). A slip of units earns nothing.
# 2. The curve relies on the standing turbine's own anemometer, which sits behind the rotor and reads another wind when it stands; the neighbours stand elsewhere, and one may be stopped too. Either choice is fine with a reason.
# 3. For instance planned maintenance, curtailment by the grid, ice protection, limits for noise or birds, a stop by hand. Without alarm and maintenance logs this data can't tell. A bare list earns nothing.
# 4. For instance: make the curve anew from local data and test its bias in the cold (after the correction turbines here still give about 33 kW more below 0 °C and 43 kW less above 25 °C; before it 67 and 79 kW); the clock; false alarms with ice on the blades; precision and recall on stops put in by hand.
#
# **Model answer**: By the curve the four lost about 149.6 MWh, 45,000 yuan at 0.3 yuan a kWh; by the neighbours about 133.1 MWh, 40,000 yuan: some 1 % of the year's 13,400 MWh. They differ because the anemometer of a standing turbine sits behind a rotor that doesn't turn and reads another wind; I trust the neighbours more, though they stand elsewhere. Some stops may be planned maintenance, curtailment or ice protection; without logs this data can't tell. Before it goes to Baicheng the curve has to be made from a whole local winter: here a bias of about 33 kW is left below 0 °C even after the correction, and Baicheng is far colder. False alarms with iced blades need a test too.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 九、再往前走：一个网络，二十四个提前量
#
# 到现在为止，每个提前量要单独训练。下面的小网络看最近 24 小时，一次给出未来 24 小时；有 GPU 时 `ulab.device()` 自己会用它。它能胜过混合吗？改宽一点、多看几天，再试。“和两个数的混合差不多”也是一个诚实的结论。

# %% [markdown] lang="en"
# ## 9. Further: one network, twenty-four horizons
#
# So far each horizon is trained by itself. The small network below looks at the last 24 hours and gives the next 24 at once; where there is a GPU, `ulab.device()` uses it by itself. Does it beat the mix? Make it wider, let it see more days. "No clear difference from two numbers" is an honest finding too.

# %%
PAST, AHEAD = 24, 24
device = ulab.device()
torch.manual_seed(0)
values = (farm / RATED / 4).to_numpy(dtype=np.float32)
windows = np.lib.stride_tricks.sliding_window_view(values, PAST + AHEAD)
issued = farm.index[PAST - 1 : len(farm) - AHEAD]
whole = ~np.isnan(windows).any(axis=1)
# zh: 学习用的窗口，连同要预测的 24 小时，都要在 2014 年之内
# en: Windows to learn from lie in 2014 with all the 24 hours they forecast
early = whole & (issued + pd.Timedelta(hours=AHEAD) < pd.Timestamp("2015"))
late = whole & (issued >= pd.Timestamp("2015"))
x = torch.tensor(windows[early][:, :PAST], device=device)
y = torch.tensor(windows[early][:, PAST:], device=device)
network = torch.nn.Sequential(
    torch.nn.Linear(PAST, 64), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(64, AHEAD)
).to(device)
optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-4)
for _epoch in range(1 if ulab.grading() else 20):
    for batch in torch.randperm(len(x), device=device).split(128):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(x[batch]), y[batch]).backward()
        optimizer.step()
network.eval()
with torch.no_grad():
    made = network(torch.tensor(windows[late][:, :PAST], device=device)).cpu().numpy()
network_rmse = 4 * RATED * np.sqrt(((made - windows[late][:, PAST:]) ** 2).mean(axis=0))
pd.DataFrame(
    {
        ulab.say(zh="网络", en="network"): network_rmse,
        ulab.say(zh="混合", en="mix"): mixed[:AHEAD],
    },
    index=pd.Index(horizons[:AHEAD], name=ulab.say(zh="提前的小时数", en="hours ahead")),
).loc[[1, 3, 6, 12, 24]].round(0)

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - 一个风电场、四台风机、两年，每个季节只有一次考试；没有气压和湍流，密度只修正了气温的部分。
# - 风速来自机舱上、叶轮后面的风速计，不是自由来流；叶轮停着时它读到的又不一样。
# - 数据里没有告警和检修日志，停机的**原因**无从得知。
# - 记录仪的钟一年不变，但钟面究竟是 UTC 还是 UTC+1，这份文件说不清。
# - 数据：ENGIE 开放数据 La Haute Borne（2019 年 10 月 9 日更新），Etalab 开放许可 2.0，由 PyPI 软件包 `openoa` 3.2 携带。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - One farm, four turbines, two years, and each season is tested once; without pressure and turbulence, density is corrected for temperature only.
# - Wind speed is from an anemometer on the nacelle behind the rotor, not of the free flow, and it reads yet another when the rotor stands.
# - There are no alarm or maintenance logs in the data, so the **cause** of a stop can't be known.
# - The logger's clock never changes, but whether its face is UTC or UTC+1 this file doesn't tell.
# - Data: ENGIE open data, La Haute Borne (updated on 9 October 2019), Etalab Open Licence 2.0, carried by the PyPI package `openoa` 3.2.
