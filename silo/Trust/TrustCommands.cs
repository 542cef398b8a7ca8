using System.CommandLine;
using System.Security.Cryptography;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Options;

namespace Cluster.Silo.Trust;

/// <summary>The commands for those who publish models: <c>keygen sign|encrypt</c>, <c>sign</c> and <c>encrypt</c>. They neither serve nor read the server's options.</summary>
internal static class TrustCommands
{
    private const int Failed = 1;
    private const int UsageError = 64;

    /// <summary>What the command line may begin with.</summary>
    public static readonly string[] Names = ["keygen", "sign", "encrypt"];

    public static void AddTo(RootCommand root)
    {
        var (keyFor, keyFolder) = (new Argument<string>("sign|encrypt"), OutOption(isRequired: true));
        var keygen = new Command("keygen", "Makes a key to sign models with, or to encrypt them with. Never overwrites.") { keyFor, keyFolder };
        SetAction(keygen, result => KeyMaker.Make(result.GetRequiredValue(keyFor), result.GetRequiredValue(keyFolder)));
        root.Subcommands.Add(keygen);

        var (signKey, signFolder, signName) = (KeyOption("The private key of keygen sign"), FolderArgument(), NameOption());
        var replace = new Option<bool>("--replace") { Description = "Writes over the signatures that are there" };
        var sign = new Command("sign", "Signs each version of a model, with the settings in its model.json.") { signFolder, signKey, signName, replace };
        SetAction(sign, result => ModelSigner.Sign(
            result.GetRequiredValue(signFolder), result.GetValue(signName), result.GetRequiredValue(signKey), result.GetValue(replace), TimeProvider.System));
        root.Subcommands.Add(sign);

        var (encryptKey, encryptFolder, encryptName, copy) = (KeyOption("The key of keygen encrypt"), FolderArgument(), NameOption(), OutOption(isRequired: false));
        var encrypt = new Command("encrypt", "Encrypts the graphs of a model's versions and their external data: in place, or into a copy.") { encryptFolder, encryptKey, encryptName, copy };
        SetAction(encrypt, result => ModelEncryptor.Encrypt(
            result.GetRequiredValue(encryptFolder), result.GetValue(encryptName), result.GetRequiredValue(encryptKey), result.GetValue(copy)));
        root.Subcommands.Add(encrypt);
    }

    private static Argument<string> FolderArgument() => new("MODEL_DIR") { Description = "The model's folder, which holds its versions" };

    private static Option<string> KeyOption(string description) => new("--key") { HelpName = "FILE", Description = description, Required = true };

    private static Option<string?> NameOption() => new("--name") { HelpName = "NAME", Description = "The name that the model is served by; without it that of its folder" };

    private static Option<string> OutOption(bool isRequired) => new("--out") { HelpName = "DIR", Description = "The folder to write to", Required = isRequired };

    /// <summary>What an action returns are lines for people.</summary>
    private static void SetAction(Command command, Func<ParseResult, IEnumerable<string>> action) => command.SetAction((result, _) => RunAsync(result, action));

    private static async Task<int> RunAsync(ParseResult result, Func<ParseResult, IEnumerable<string>> action)
    {
        if (result.Errors.Count > 0)
        {
            return await RefuseAsync(result.Errors.Select(static error => error.Message), UsageError);
        }

        try
        {
            foreach (var line in action(result))
            {
                await Console.Out.WriteLineAsync(line);
            }

            return 0;
        }
        catch (TrustUsageException exception)
        {
            return await RefuseAsync([exception.Message], UsageError);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
        {
            return await RefuseAsync([exception.Message], Failed);
        }
        catch (ServingException exception)
        {
            return await RefuseAsync([exception.Failure.Message], Failed);
        }
    }

    private static async Task<int> RefuseAsync(IEnumerable<string> mistakes, int code)
    {
        foreach (var mistake in mistakes)
        {
            await Console.Error.WriteLineAsync($"error: {OptionSection.OneLine(mistake)}");
        }

        return code;
    }
}

/// <summary>A command line that names missing files or options.</summary>
internal sealed class TrustUsageException(string message) : Exception(message);
