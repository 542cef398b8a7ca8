using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Cli;

/// <summary>Each verb of the command line against a server with TLS and identities.</summary>
public sealed class CliServerTests(CliServer server) : IClassFixture<CliServer>
{
    private const int Side = 28;

    [Fact]
    public async Task Get_EachKind_IsListedInEachForm()
    {
        var models = await server.DoAsync("get", "models");
        Assert.Matches(@"^MODEL +VERSION +STATE", models);
        Assert.Matches(@"\nadd_sub +1 +READY +1/1", models);
        Assert.Equal(1, JsonDocument.Parse(await server.DoAsync("get", "models", "digits", "-o", "json")).RootElement.GetProperty("versions")[0].GetProperty("version").GetInt32());
        Assert.Contains("state: READY", await server.DoAsync("get", "models", "digits", "-o", "yaml"), StringComparison.Ordinal);
        Assert.Matches(@"Active +\d+ +\d+ .* of 4 MiB", await server.DoAsync("get", "silos"));
        Assert.Contains("RUNTIME", await server.DoAsync("get", "silos", "-o", "wide"), StringComparison.Ordinal);
        Assert.Matches(@"\n\S+ +1 +\d+/\d+ +0 +answers", await server.DoAsync("get", "cluster"));

        var unknown = await server.RunAsync("get", "models", "nosuch");
        Assert.Equal((1, "error: model 'nosuch' is not found, or not to be read by this client\n"), (unknown.ExitCode, unknown.Error));
    }

    [Fact]
    public async Task LoadAndUnload_AModel_ChangesItsState()
    {
        Assert.Equal("model 'add_sub' is unloaded\n", await server.DoAsync("unload", "add_sub"));
        Assert.Matches(@"\nadd_sub +1 +UNAVAILABLE", await server.DoAsync("get", "models", "add_sub"));
        Assert.Equal("model 'add_sub' is loaded\n", await server.DoAsync("load", "add_sub", "--wait", "--timeout", "30"));
        Assert.Matches(@"\nadd_sub +1 +READY", await server.DoAsync("get", "models", "add_sub"));
    }

    [Fact]
    public async Task Registrations_ByVerbsAndByAFile_AreMadeSoAndDescribed()
    {
        Assert.Equal("model 'one' is registered, loaded\n", await server.DoAsync("register", "one", "--path", "v1", "--wait"));
        Assert.Equal("alias 'current' is model 'one'\n", await server.DoAsync("alias", "set", "current", "one"));
        Assert.Matches(@"\ncurrent +one +DEFINED +LOADED", await server.DoAsync("alias", "get"));

        var description = await server.DoAsync("describe", "model", "one");
        Assert.Matches(@"Aliases +current\n", description);
        Assert.Matches(@"\ninput +INPUT0 +FP32 +\[", description);
        Assert.Matches(@"\n1/\d+ +SERVING +127", description);

        var file = server.Write("manifest.yaml", """
            models:
              one: { path: v1 }
              two:
                path: v2
                settings: { max_copies: 2 }
            aliases:
              current: two
            """);
        var difference = await server.RunAsync("diff", "-f", file);
        Assert.Equal(1, difference.ExitCode);
        Assert.Matches(@"\nadd +model +two +onnx v2 \{""max_copies"":2\} *\nchange +alias +current +one +two *\n$", difference.Output);
        Assert.Equal("model 'two': added\nalias 'current': changed\n", await server.DoAsync("apply", "-f", file, "--wait"));
        Assert.Equal("nothing would change\n", await server.DoAsync("diff", "-f", file));
        Assert.Equal("nothing to change\n", await server.DoAsync("apply", "-f", file));
        Assert.Matches(@"\ncurrent +two +DEFINED +LOADED", await server.DoAsync("get", "aliases", "current"));

        var other = await server.RunAsync("diff", "-f", server.Write("other.yaml", "models: { two: { path: v1 } }"));
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("alias 'current' leads to it; expected the new content under a new name, and the alias moved", other.Error, StringComparison.Ordinal);
        Assert.Equal("model 'one' is registered no more\n", await server.DoAsync("unregister", "one"));
        Assert.Equal("alias 'current' is removed\n", await server.DoAsync("alias", "delete", "current"));
        Assert.Equal("model 'two': removed\n", await server.DoAsync("apply", "-f", server.Write("none.json", "{}"), "--prune"));
    }

    [Fact]
    public async Task TrafficRules_ByVerbsAndByAFile_AreSetShownRolledBackAndCleared()
    {
        await server.DoAsync("register", "first", "--path", "v1", "--wait");
        await server.DoAsync("register", "second", "--path", "v2");
        var set = await server.DoAsync("alias", "set", "tried", "first", "--canary", "second", "--percent", "12.5", "--sticky-header", "x-user", "--max-p99-ratio", "3", "--wait");
        Assert.Equal("alias 'tried' is model 'first': 12.5 % to second\n", set);
        Assert.Matches(@"\ntried +first .* 12\.5 % to second", await server.DoAsync("alias", "get"));
        var shown = await server.DoAsync("alias", "show", "tried");
        Assert.StartsWith("Alias tried is model first\nRule  12.5 % to second\n  candidate second\n", shown, StringComparison.Ordinal);
        Assert.Contains("  max_p99_ratio 3\n", shown, StringComparison.Ordinal);

        Assert.Matches("^alias 'tried': 12\\.5 % to second, rolled back by .+: an operator asked for it\n$", await server.DoAsync("rollback", "tried"));
        Assert.Equal("rolled_back", JsonDocument.Parse(await server.DoAsync("alias", "show", "tried", "-o", "json")).RootElement.GetProperty("traffic").GetProperty("state").GetString());
        Assert.Matches(@"traffic_begun +second", await server.DoAsync("events", "--model", "second"));
        Assert.Matches(@"rolled_back +second", await server.DoAsync("events", "--model", "second"));

        // What was rolled back is not begun again by the same file.
        const string Same = "aliases: { tried: { model: first, traffic: { candidate: second, percent: 12.5, sticky_header: x-user, max_p99_ratio: 3.0, min_requests: 100 } } }";
        Assert.Equal("nothing would change\n", await server.DoAsync("diff", "-f", server.Write("same.yaml", Same)));
        var file = server.Write("shadow.yaml", "aliases: { tried: { model: first, traffic: { candidate: second, percent: 50, shadow: true } } }");
        var difference = await server.RunAsync("diff", "-f", file);
        Assert.Matches(@"\nchange +traffic +tried +12\.5 % to second +50 % copied to second", difference.Output);
        Assert.Equal("traffic 'tried': changed\n", await server.DoAsync("apply", "-f", file, "--wait"));

        // What a file leaves out is what the gateway takes for it.
        var rule = JsonDocument.Parse(await server.DoAsync("alias", "show", "tried", "-o", "json")).RootElement.GetProperty("traffic").GetProperty("rule");
        Assert.InRange(rule.EnumerateObject().Count(), 9, 15);
        Assert.Equal("nothing would change\n", await server.DoAsync("diff", "-f", file));
        Assert.Equal("nothing would change\n", await server.DoAsync("diff", "-f", server.Write("whole.json", """{"aliases":{"tried":{"model":"first","traffic":RULE}}}""".Replace("RULE", rule.GetRawText(), StringComparison.Ordinal))));
        Assert.Equal("nothing to change\n", await server.DoAsync("apply", "-f", server.Write("silent.yaml", "aliases: { tried: first }")));

        Assert.Equal("alias 'tried' has no traffic rule\n", await server.DoAsync("alias", "clear", "tried"));
        Assert.Contains("It has no traffic rule\n", await server.DoAsync("alias", "show", "tried"), StringComparison.Ordinal);
        Assert.Equal((1, true), Failure(await server.RunAsync("rollback", "tried"), "alias 'tried' has no traffic rule"));
        Assert.Equal((1, true), Failure(await server.RunAsync("alias", "set", "tried", "first", "--canary", "nosuch", "--percent", "1"), "nosuch"));
        Assert.Equal((1, true), Failure(await server.RunAsync("alias", "set", "tried", "first", "--shadow", "second", "--percent", "200"), "percent is 200, expected 0 to 100"));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("reader", "", "rollback", "tried"), "may not change 'tried'"));
        await server.DoAsync("alias", "delete", "tried");
        await server.DoAsync("unregister", "first");
        await server.DoAsync("unregister", "second");
    }

    [Fact]
    public async Task Infer_JsonAndNpyAndAPicture_AreAnswered()
    {
        var values = string.Join(',', Enumerable.Range(0, 16));
        var flat = await server.DoAsync("infer", "add_sub", "INPUT0=" + server.Write("a.json", $"[{values}]"), "INPUT1=" + server.Write("b.json", $"[[{values}]]"));
        Assert.Contains("OUTPUT0 FP32 [1, 16]\n  0 2 4 6 8 10", flat.Replace(".0", "", StringComparison.Ordinal), StringComparison.Ordinal);

        var npy = server.Write("image.npy", Npy("<f4", "1, 1, 28, 28", MemoryMarshal.AsBytes(Digit(3).Select(static pixel => (float)pixel).ToArray().AsSpan()).ToArray()));
        Assert.Matches(@"CLASS +LABEL +SCORE *\n3 ", await server.DoAsync("infer", "digits", npy, "--classes", "1"));

        // Four times as large, and dark on light.
        byte[] pixels = [.. Enumerable.Range(0, 16 * Side * Side).Select(static i => (byte)(255 - Digit(7)[(i / (16 * Side) * Side) + (i % (4 * Side) / 4)]))];
        Assert.Matches(@"CLASS +LABEL +SCORE *\n7 ", await server.DoAsync("infer", "digits", server.Write("seven.png", PngFile.Grey(4 * Side, 4 * Side, pixels))));

        var request = $$"""{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,16],"data":[{{values}}]},{"name":"INPUT1","datatype":"FP32","shape":[1,16],"data":[{{values}}]}]}""";
        var piped = await server.RunAsAsync("operator", request, "infer", "add_sub", "-", "-o", "json");
        Assert.Equal("add_sub", JsonDocument.Parse(piped.Output).RootElement.GetProperty("model_name").GetString());

        var huge = await server.RunAsync("infer", "digits", server.Write("huge.npy", Npy("<f4", "999999999999999999, 999999999999999999, 999999999999999999", [])));
        Assert.Equal((64, true), Failure(huge, "huge.npy has 0 bytes of elements, its shape [999999999999999999, "));

        var wrong = await server.RunAsync("infer", "add_sub", server["a.json"]);
        Assert.Equal(64, wrong.ExitCode);
        Assert.EndsWith("with one of INPUT0, INPUT1\n", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_AStepThatFails_LosesNothingAndIsTakenAgain()
    {
        await server.DoAsync("apply", "--wait", "-f", server.Write("kept.yaml", "models: { kept: { path: v1 } }"));
        var refused = await server.RunAsync("apply", "-f", server.Write("refused.yaml", "models: { kept: { path: ../v1 } }"));
        Assert.Equal((1, true), Failure(refused, "; model 'kept' is registered with its former content\n"));
        Assert.Equal("nothing would change\n", await server.DoAsync("diff", "-f", server["kept.yaml"]));

        // Of the model, and of an alias that is to move to it.
        server.Write("fails.yaml", "models: { kept: { path: v1 }, outsize: { path: big } }\naliases: { moving: kept }");
        for (var attempt = 0; attempt < 2; attempt++)
        {
            Assert.Equal((1, true), Failure(await server.RunAsync("apply", "--wait", "-f", server["fails.yaml"]), "error: model 'outsize' does not load: "));
        }

        Assert.Matches(@"\nretry +model +outsize ", (await server.RunAsync("diff", "-f", server["fails.yaml"])).Output);
        await server.DoAsync("load", "kept", "--wait");
        await server.DoAsync("alias", "set", "moving", "kept");
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var stays = await server.RunAsync("apply", "--wait", "-f", server.Write("moves.yaml", "aliases: { moving: outsize }"));
            Assert.Equal((1, true), Failure(stays, "error: alias 'moving' stays with model 'kept', as 'outsize' does not load: "));
        }

        // The old model goes once the alias has moved, without --wait too.
        var pruned = await server.DoAsync("apply", "--prune", "-f", server.Write("next.yaml", "models: { next: { path: v2 } }\naliases: { moving: next }"));
        Assert.Equal("model 'next': added\nalias 'moving': changed\nmodel 'kept': removed\nmodel 'outsize': removed\n", pruned);
        await server.DoAsync("apply", "--prune", "-f", server.Write("nothing.json", "{}"));
    }

    [Fact]
    public async Task Scale_AModel_IsShownAndTakenBack()
    {
        Assert.Equal("model 'add_sub' has at least 1 and at most 2 replicas\n", await server.DoAsync("scale", "add_sub", "--min", "1", "--max", "2", "--wait"));
        Assert.Matches(@"SCALED .*\nadd_sub .* at least 1 and at most 2 replicas ", await server.DoAsync("get", "models", "add_sub", "-o", "wide"));
        Assert.Contains("Scaled    at least 1 and at most 2 replicas\n", await server.DoAsync("describe", "model", "add_sub"), StringComparison.Ordinal);
        Assert.Equal("model 'add_sub' has as many replicas as its settings say\n", await server.DoAsync("scale", "add_sub", "--reset"));
        Assert.DoesNotContain("scaled", await server.DoAsync("get", "models", "add_sub", "-o", "json"), StringComparison.Ordinal);

        Assert.Equal((1, true), Failure(await server.RunAsync("scale", "add_sub", "--min", "3", "--max", "2"), "model 'add_sub': max_copies is 2, less than min_copies, 3"));
        Assert.Equal((1, true), Failure(await server.RunAsync("scale", "nosuch", "--min", "2"), "'nosuch'"));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("reader", "", "scale", "add_sub", "--min", "2"), "may not change 'add_sub'"));
    }

    [Fact]
    public async Task DrainAndUndrain_TheOnlySilo_IsRefusedAndChangesNothing()
    {
        var silo = JsonDocument.Parse(await server.DoAsync("get", "silos", "-o", "json")).RootElement[0].GetProperty("silo").GetString()!;

        Assert.Equal((1, true), Failure(await server.RunAsync("drain", silo, "--wait"), $"silo '{silo}' is the only one that takes replicas"));
        Assert.Equal((1, true), Failure(await server.RunAsync("drain", "nosuch"), "silo 'nosuch' is not found among those that are active"));
        Assert.Equal($"silo '{silo}' takes replicas\n", await server.DoAsync("undrain", silo));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("reader", "", "drain", silo), "may not change '*'"));
    }

    [Fact]
    public async Task Bench_AModel_TellsRatesAndLatencies()
    {
        var values = string.Join(',', Enumerable.Range(0, 16));
        var request = server.Write("bench.json", $$"""{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,16],"data":[{{values}}]},{"name":"INPUT1","datatype":"FP32","shape":[1,16],"data":[{{values}}]}]}""");

        var closed = JsonDocument.Parse(await server.DoAsync("bench", "add_sub", request, "-c", "2", "--seconds", "1", "-o", "json")).RootElement;
        Assert.InRange(closed.GetProperty("requests").GetInt32(), 10, 1_000_000);
        Assert.Equal(0, closed.GetProperty("failed").GetInt32());
        Assert.InRange(closed.GetProperty("p50_ms").GetDouble(), 0.01, closed.GetProperty("p99_ms").GetDouble());
        Assert.InRange(closed.GetProperty("p99_ms").GetDouble(), 0.01, closed.GetProperty("max_ms").GetDouble());

        var open = JsonDocument.Parse(await server.DoAsync("bench", "add_sub", request, "--rate", "50", "--seconds", "1", "-o", "json")).RootElement;
        Assert.Equal(50, open.GetProperty("requests").GetInt32());
        Assert.InRange(open.GetProperty("answers_per_second").GetDouble(), 1, 51);
        Assert.Matches(@"^REQUESTS +FAILED +SECONDS +ANSWERS/S +P50 MS", await server.DoAsync("bench", "add_sub", request, "--rate", "5", "--seconds", "1"));

        Assert.Equal((1, true), Failure(await server.RunAsync("bench", "nosuch", request, "--seconds", "1"), "'nosuch'"));
        Assert.Equal((64, true), Failure(await server.RunAsync("bench", "add_sub", request, "--seconds", "5", "--timeout", "5"), "--seconds is 5, expected less than --timeout, 5"));
    }

    [Fact]
    public async Task Why_AModelThatFitsNowhere_IsExplained()
    {
        var failed = await server.RunAsync("register", "huge", "--path", "big", "--wait");
        Assert.Equal(1, failed.ExitCode);
        Assert.StartsWith("error: model 'huge' does not load: ", failed.Error, StringComparison.Ordinal);

        var why = await server.DoAsync("why", "huge");
        Assert.Matches(@"\n1 +127\S+ +no +no +\S", why);
        Assert.Matches(@"\nmodel 'huge' version 1 is reckoned with \S+ MiB a replica; it fits nowhere: no silo can take", why);
        Assert.Contains("one more fits on 0 of 1 silos", (await server.DoAsync("why", "digits")), StringComparison.Ordinal);

        var doctor = await server.RunAsync("doctor");
        Assert.Equal(1, doctor.ExitCode);
        Assert.Matches(@"\nmodel +failed +'huge' 1: ", doctor.Output);
        await server.DoAsync("unregister", "huge");
    }

    [Fact]
    public async Task Doctor_AHealthyServer_ChecksCertificatesSilosAndModels()
    {
        var doctor = await server.DoAsync("doctor");

        Assert.Matches(@"\ngateway +fine +https://127\.0\.0\.1:\d+/ answered in \d+ ms", doctor);
        Assert.Matches(@"\nserver's certificate +warning +ends \d{4}-", doctor);
        Assert.Matches(@"\ngateway's certificate +warning +ends ", doctor);
        Assert.Matches(@"\nsilos +fine +1 of 1 active", doctor);
        Assert.Matches(@"\nmodels +fine +none of \d+ failed", doctor);
    }

    [Fact]
    public async Task EventsAndTop_ShowWhatHappens()
    {
        await server.DoAsync("load", "digits");
        Assert.Matches(@"loaded +digits/1 ", await server.DoAsync("events", "--model", "digits"));
        Assert.Matches(@"loaded +digits/1 ", await server.DoAsync("events", "-w", "-n", "1", "--model", "digits").Soon());
        var line = await server.DoAsync("events", "-w", "-n", "1", "--model", "digits", "-o", "json").Soon();
        Assert.Equal("digits", JsonDocument.Parse(line).RootElement.GetProperty("model").GetString());

        var top = await server.DoAsync("top", "-n", "2", "--interval", "1").Soon();
        Assert.Equal(2, top.Split("CLUSTER").Length - 1);
        Assert.Matches(@"\ndigits +1 +READY", top);
    }

    [Fact]
    public async Task Identities_AreAskedFor_AndErrorsSayWhatWouldBeRight()
    {
        Assert.Equal(0, (await server.RunAsAsync("certificate", "", "get", "cluster")).ExitCode);
        Assert.Equal(0, (await server.RunAsAsync("none", "", "get", "cluster", "--key-file", server["cluster/operator.key"])).ExitCode);
        Assert.Equal((1, true), Failure(await server.RunAsAsync("none", "", "get", "cluster"), "a key is given by --key-file, CLUSTER_KEY"));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("none", "", "alias", "get"), "a key is given by --key-file, CLUSTER_KEY"));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("reader", "", "unload", "digits"), "error: "));
        Assert.Equal((1, true), Failure(await server.RunAsAsync("reader", "", "alias", "set", "a", "digits"), "error: "));
        Assert.Equal((2, true), Failure(await server.RunAsAsync("stranger", "", "get", "cluster"), "--ca or the profile's ca names authorities"));
        Assert.Equal((2, true), Failure(await server.RunAsAsync("stranger", "", "alias", "get"), "--ca or the profile's ca names authorities"));
        Assert.Equal((2, true), Failure(await server.RunAsAsync("none", "", "get", "cluster", "--server", $"http://127.0.0.1:{FreePort.Take()}"), "no connection; is a gateway started there?"));
    }

    private static (int Code, bool HasText) Failure(CliRun run, string text) => (run.ExitCode, run.Error.Contains(text, StringComparison.Ordinal) && !run.Error.Contains("   at ", StringComparison.Ordinal));

    /// <summary>A digit in the size and the colours of the model, white on black.</summary>
    private static byte[] Digit(int digit) =>
        File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "Conformance", "RealModels", "digits.u8"))[(digit * Side * Side)..((digit + 1) * Side * Side)];

    private static byte[] Npy(string type, string shape, byte[] elements)
    {
        var header = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. header, .. elements];
    }
}
