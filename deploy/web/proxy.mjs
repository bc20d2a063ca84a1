// configurable-http-proxy for a hub whose services listen on unix sockets and speak two languages.
//
// It keeps its connections to unix sockets open, as it does those to TCP.
// Node ends a request that has a body with a write of no bytes at all. On a unix socket whose other
// end is closed Linux refuses even that (EPIPE), and the answer that lies there unread is thrown away
// for an error page. So no backend must close its end while a request is still being finished.
//
// Whoever answers at a unix socket keeps an idle connection longer than this, so that it is always
// the proxy that closes one, and never a request that finds it closed.
import http from "node:http";
import ConfigurableProxy from "configurable-http-proxy/lib/configproxy.js";
import httpProxy from "http-proxy-3";

const IDLE_MS = 30_000;
const agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS });

// `Connection: close` is between the browser and us; passed on, it would close the backend's end.
function keepOpen(request, response, options) {
  options.agent ??= agent;
  options.headers = { ...options.headers, connection: "keep-alive" };
}

const { createProxyServer } = httpProxy;
httpProxy.createProxyServer = (options) => {
  const server = createProxyServer(options);
  server.before("web", "stream", keepOpen);
  return server;
};

// The hub makes the page of an error; these tell it who reads the page, and in which language.
const TELLING = ["accept-language", "cookie"];
const { handleProxyError } = ConfigurableProxy.prototype;
ConfigurableProxy.prototype.handleProxyError = function (code, kind, request, ...rest) {
  const headers = Object.fromEntries(
    TELLING.filter((name) => name in request.headers).map((name) => [name, request.headers[name]]),
  );
  const proxyOptsForTarget = (target) => {
    const options = this.proxyOptsForTarget(target);
    options.target.headers = headers;
    return options;
  };
  const proxy = Object.create(this, { proxyOptsForTarget: { value: proxyOptsForTarget } });
  return handleProxyError.call(proxy, code, kind, request, ...rest);
};

await import("configurable-http-proxy/bin/configurable-http-proxy");
