using System.Runtime.InteropServices;
using Xunit;

namespace Cluster.Unit.Repository;

/// <summary>A folder of another user, which that one alone may write.</summary>
internal static partial class ForeignFolder
{
    private const int OtherUser = 65534;

    /// <summary>One that is there for tests without rights; else one within <paramref name="folder"/>.</summary>
    public static string In(TempFolder folder)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "/usr";
        }

        folder.MakeFolder("foreign");
        Assert.Equal(0, ChangeOwner(folder["foreign"], OtherUser, OtherUser));
        return folder["foreign"];
    }

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);
}
