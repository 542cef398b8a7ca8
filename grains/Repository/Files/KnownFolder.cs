namespace Cluster.Grains.Repository.Files;

/// <summary>The names in one folder, from look to look. To look at a folder costs five system calls, at its stat one: thousands of folders are looked at each second.</summary>
internal sealed class KnownFolder(TimeProvider clock)
{
    /// <summary>Looks after which the folder is read though its stat is the same: some file systems in user space never change a folder's times.</summary>
    private const int MostLooks = 10;

    private List<string> _names = [];
    private FileStat? _stat;
    private int _left;

    /// <summary>The names in it, ordinal order, hidden ones too.</summary>
    /// <param name="path">Real path of the folder.</param>
    /// <param name="stat">Of the folder, read just now.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public List<string> Names(string path, FileStat stat)
    {
        if (stat == _stat && --_left > 0)
        {
            return _names;
        }

        // Folders that were read together are not read again together.
        _left = _stat is null ? 1 + (int)(stat.Inode % MostLooks) : MostLooks;
        _stat = null;
        _names = Folder.Names(path);

        // A fresh folder may change once more without a sign, and a platform that tells no change time may not tell any.
        _stat = stat.Changed == 0 || stat.IsFresh(clock.GetUtcNow()) ? null : stat;
        return _names;
    }

    /// <summary>Has the next look read the folder.</summary>
    public void Forget() => _stat = null;
}
