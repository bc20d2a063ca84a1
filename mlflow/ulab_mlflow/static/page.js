// Sets up MLflow's own pages before they start: the view for trained models, no assistant, and a way
// back to the courses.
(() => {
  const remember = (key, value, always) => {
    try {
      if (always || localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
    } catch { /* without storage the pages work all the same */ }
  };
  remember("mlflow.workflowType_v1", "machine_learning", false);
  remember("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", true, true);
  remember("mlflow.assistant.panelOpen_v1", false, true);

  const chosen = document.cookie.match(/(?:^|; )ulab-language=(zh|en)/);
  const chinese = chosen ? chosen[1] === "zh" : navigator.language.toLowerCase().startsWith("zh");
  addEventListener("DOMContentLoaded", () => {
    const back = document.createElement("a");
    back.className = "ulab-back";
    back.href = "../ulab/";
    back.lang = chinese ? "zh-CN" : "en";
    back.textContent = chinese ? "← 我的课程" : "← My courses";
    document.body.append(back);
  });
})();
