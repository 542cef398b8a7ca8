using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Gateway.Security.Policy;

namespace Cluster.Silo.Options;

/// <summary>The command <c>apikey</c>: makes a key for a client, and what <c>access.json</c> has of it. The key itself is shown once and kept nowhere.</summary>
internal static class ApiKeyCommand
{
    private const int MaxDays = 3650;

    public static Command Create(TimeProvider time, TextWriter output)
    {
        var days = new Option<int>("--days") { HelpName = "DAYS", Description = "Days until it expires, 1 to 3650 [default: 365]", DefaultValueFactory = static _ => 365 };
        days.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= MaxDays))
            {
                result.AddError($"--days is '{text}', expected 1 to {MaxDays}");
            }
        });
        var command = new Command("apikey", "Makes an API key, and the entry of access.json that knows it.") { days };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(days), time, output));
        return command;
    }

    private static async Task<int> RunAsync(int days, TimeProvider time, TextWriter output)
    {
        var id = RandomNumberGenerator.GetHexString(12, lowercase: true);
        var secret = RandomNumberGenerator.GetHexString(64, lowercase: true);
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = new byte[SHA256.HashSizeInBytes];
        ApiKey.Hash(salt, secret, hash);
        var entry = JsonSerializer.Serialize(new
        {
            id,
            salt = Convert.ToHexStringLower(salt),
            sha256 = Convert.ToHexStringLower(hash),
            expires = time.GetUtcNow().AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
        await output.WriteLineAsync($"{id}.{secret}").ConfigureAwait(false);
        await output.WriteLineAsync(entry).ConfigureAwait(false);
        return 0;
    }
}
