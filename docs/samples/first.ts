// 用法:BASE=http://127.0.0.1:8000 TJ_USER=front TJ_PASSWORD=… node first.ts(Node 22.18 以上直接运行)
interface Problem { status: number; code: string; detail: string; request_id: string }

const base: string = process.env.BASE ?? "http://127.0.0.1:8000";

async function call<T>(method: string, path: string, token?: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { "Accept-Language": "zh" };
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) {
    const told = (await answer.json()) as Problem;
    throw new Error(`${told.status} ${told.code}: ${told.detail} (${told.request_id})`);
  }
  return (await answer.json()) as T;
}

const { access_token: token } = await call<{ access_token: string }>("POST", "/api/v1/auth/token", undefined, {
  username: process.env.TJ_USER, password: process.env.TJ_PASSWORD,
});
console.log(JSON.stringify(await call("GET", "/api/v1/auth/principal", token)));
console.log(JSON.stringify(await call("GET", "/api/v1/exams?page_size=5", token)));
