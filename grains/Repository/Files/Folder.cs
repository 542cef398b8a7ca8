using System.IO.Enumeration;

namespace Cluster.Grains.Repository.Files;

/// <summary>What is in a folder.</summary>
internal static class Folder
{
    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        RecurseSubdirectories = false,
        ReturnSpecialDirectories = false,
    };

    /// <summary>The names in it, ordinal order, hidden ones too.</summary>
    public static List<string> Names(string path)
    {
        var names = new List<string>(
            new FileSystemEnumerable<string>(path, static (ref FileSystemEntry entry) => entry.FileName.ToString(), Everything));
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public static bool IsHidden(string name) => name.StartsWith('.');
}
