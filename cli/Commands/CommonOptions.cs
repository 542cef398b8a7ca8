using System.CommandLine;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary>The options that every verb takes. None takes a secret: the command lines of a machine are seen by all its users.</summary>
internal sealed class CommonOptions
{
    /// <summary>Timers take 49 days at most.</summary>
    public const int MostSeconds = 30 * 24 * 60 * 60;

    private const int DefaultTimeout = 300;

    private readonly Option<string?> _server = Text("--server", "URL", "A gateway's address [CLUSTER_SERVER; default: http://127.0.0.1:8000]");
    private readonly Option<string?> _profile = Text("--profile", "NAME", "A profile of the file cluster/config.yaml in the folder of configuration [CLUSTER_PROFILE]");
    private readonly Option<string?> _authority = Text("--ca", "FILE", "PEM authorities to trust for the server; without it those of the machine");
    private readonly Option<string?> _certificate = Text("--cert", "FILE", "PEM certificate to show the server; needs --cert-key");
    private readonly Option<string?> _certificateKey = Text("--cert-key", "FILE", "PEM private key of --cert");
    private readonly Option<string?> _keyFile = Text("--key-file", "FILE", "A file with the API key or token; the variable CLUSTER_KEY has the key itself");
    private readonly Option<OutputFormat> _format = new("--output", "-o") { Recursive = true, HelpName = "FORMAT", Description = "table, wide, json or yaml [default: table]" };

    public CommonOptions()
    {
        _format.AcceptOnlyFromAmong("table", "wide", "json", "yaml");
        Timeout.TakesAtLeastOne(MostSeconds);
    }

    public Option<int> Timeout { get; } = new("--timeout")
    {
        Recursive = true,
        HelpName = "SECONDS",
        Description = "The most time that the command may take",
        DefaultValueFactory = static _ => DefaultTimeout,
    };

    public void AddTo(RootCommand root)
    {
        foreach (var option in new Option[] { _server, _profile, _authority, _certificate, _certificateKey, _keyFile, _format, Timeout })
        {
            root.Options.Add(option);
        }
    }

    /// <exception cref="CommandFailure">Options, variables or the profile are wrong.</exception>
    public Session Open(ParseResult parsed, Surroundings surroundings)
    {
        var given = new Profile
        {
            Server = parsed.GetValue(_server),
            Ca = parsed.GetValue(_authority),
            Cert = parsed.GetValue(_certificate),
            Key = parsed.GetValue(_certificateKey),
            ApiKeyFile = parsed.GetValue(_keyFile),
        };
        var connection = ClusterConnection.Of(given, parsed.GetValue(_profile), surroundings.Variable);
        return new Session(connection, new Printer(surroundings, parsed.GetValue(_format)), surroundings);
    }

    private static Option<string?> Text(string name, string argument, string help)
    {
        var option = new Option<string?>(name) { Recursive = true, HelpName = argument, Description = help };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError($"{name} is empty, expected {argument}");
            }
        });
        return option;
    }
}

/// <summary>Options that take a whole number from 1 on.</summary>
internal static class NumberOptions
{
    /// <param name="most">The largest that it takes.</param>
    public static void TakesAtLeastOne(this Option option, int most = int.MaxValue) => option.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, out var value) && value > 0 && value <= most))
        {
            result.AddError($"{option.Name} is '{text}', expected a number, {(most == int.MaxValue ? "at least 1" : $"1 to {most}")}");
        }
    });
}
