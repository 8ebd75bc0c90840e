// 用法:BASE=http://127.0.0.1:8000 TJ_USER=front TJ_PASSWORD=… java First.java(Java 17,只用标准库)
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class First {
    static final String BASE = System.getenv().getOrDefault("BASE", "http://127.0.0.1:8000");
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    static String call(String method, String path, String token, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(BASE + path)).header("Accept-Language", "zh");
        if (token != null) request.header("Authorization", "Bearer " + token);
        if (body != null) request.header("Content-Type", "application/json");
        request.method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 400) throw new IllegalStateException(answer.body()); // application/problem+json: code, request_id
        return answer.body();
    }

    public static void main(String[] args) throws Exception {
        String login = "{\"username\":\"" + System.getenv("TJ_USER") + "\",\"password\":\"" + System.getenv("TJ_PASSWORD") + "\"}";
        Matcher found = Pattern.compile("\"access_token\":\"([^\"]+)\"").matcher(call("POST", "/api/v1/auth/token", null, login));
        if (!found.find()) throw new IllegalStateException("no token");
        String token = found.group(1);
        System.out.println(call("GET", "/api/v1/auth/principal", token, null));
        System.out.println(call("GET", "/api/v1/exams?page_size=5", token, null));
    }
}
