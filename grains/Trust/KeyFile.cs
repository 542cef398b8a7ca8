using Cluster.Grains.Repository.Files;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Trust;

/// <summary>Follows a file of keys: a change counts from the next load on, and one that cannot be read leaves the last keys in force. Safe from any thread.</summary>
/// <param name="path">Null for no keys.</param>
internal sealed class KeyFile<T>(string? path, Func<string, T> parse, TimeProvider time, ILogger logger)
    where T : class
{
    private const int MaxSize = 1 << 20;

    private readonly Lock _lock = new();
    private FileStat? _stat;
    private T? _keys;

    public bool IsGiven => path is not null;

    /// <summary>What the file holds now.</summary>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: it could never be read.</exception>
    public T Current()
    {
        lock (_lock)
        {
            Refresh();
            return _keys ?? throw Refusal.Of("the file of this silo's keys cannot be read; its log says why");
        }
    }

    /// <summary>The keys of a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is too large.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="FormatException">It holds no keys.</exception>
    public static T Read(string path, Func<string, T> parse)
    {
        // The operator's word, which may be a link: container engines mount secrets so.
        if (FileStat.Read(path, followLinks: true) is not { Kind: FileKind.Regular, Size: <= MaxSize })
        {
            throw new IOException($"'{path}' is no file of at most {MaxSize} bytes");
        }

        return parse(File.ReadAllText(path));
    }

    private void Refresh()
    {
        try
        {
            var stat = FileStat.Read(path!, followLinks: true);
            if (stat is not null && stat == _stat)
            {
                return;
            }

            _keys = Read(path!, parse);
            _stat = stat?.IsFresh(time.GetUtcNow()) == true ? null : stat;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception) || exception is FormatException)
        {
            Log.KeysStay(logger, path!, exception.Message);
        }
    }
}
