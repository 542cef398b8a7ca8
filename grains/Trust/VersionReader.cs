using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Trust;

/// <summary>Opens a file of a version; <see cref="CheckedFile.Open"/> but in tests.</summary>
internal delegate SafeFileHandle OpenModelFile(string path);

/// <summary>
/// Reads a version's files into memory, once, and checks what it read: sizes, signature, encryption, the graph's limits, external data, and the registered SHA-256. ONNX
/// Runtime is given those bytes, so nothing that happens to the files afterwards matters. docs/decisions/0028-models-are-untrusted.md says why.
/// </summary>
internal sealed class VersionReader(ModelTrustOptions options, IContentCheck contents, OpenModelFile open, TimeProvider time, ILogger<VersionReader> logger)
{
    private readonly KeyFile<SignatureKeys> _signers = new(options.Keys, SignatureKeys.Parse, time, logger);
    private readonly SignedLedger _ledger = new(options.SignedLedger, logger);
    private readonly KeyFile<EncryptionKeys> _keys = new(options.KeyFile, EncryptionKeys.Parse, time, logger);

    /// <exception cref="ServingException">UNAVAILABLE or RESOURCE_EXHAUSTED, with the reason.</exception>
    /// <exception cref="OperationCanceledException">The load was given up.</exception>
    public VersionContent Read(string model, ReplicaSpec spec, CancellationToken cancellationToken)
    {
        try
        {
            var reading = new VersionReading(options, contents, open, _signers, _keys, _ledger, model, spec, cancellationToken);
            return reading.Read();
        }
        catch (Exception exception) when (exception is NotRegularException or FileChangedException)
        {
            throw Refusal.Of($"the files of version {spec.Source.Version} changed while they were read: {exception.Message}", exception);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            throw Refusal.Of($"the files of version {spec.Source.Version} cannot be read: {IoReason.Of(exception)}", exception);
        }
    }
}

/// <summary>The one failure of files that are not to be loaded: that of a load, with what was found and what would be right.</summary>
internal static class Refusal
{
    private const int MaxShown = 80;

    public static ServingException Of(string reason, Exception? cause = null)
    {
        var failure = Failure.Unavailable(reason, LoadFailures.RetryAfter);
        return cause is null ? new ServingException(failure) : new ServingException(failure, cause);
    }

    /// <summary>A text out of a file that is not trusted, on one line and not long.</summary>
    public static string Quote(string text) => $"'{JsonEncodedText.Encode(text.Length > MaxShown ? text[..MaxShown] + "..." : text)}'";
}

/// <summary>Event ids 2188 and 2189.</summary>
internal static partial class Log
{
    [LoggerMessage(2188, LogLevel.Warning, "Could not read the keys of {File}, and kept the former ones: {Reason}")]
    public static partial void KeysStay(ILogger logger, string file, string reason);

    [LoggerMessage(2189, LogLevel.Error, "A signed version was not loaded, as the ledger {File} could not be used: {Reason}")]
    public static partial void LedgerFailed(ILogger logger, string file, string reason);
}
