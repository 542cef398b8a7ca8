using Cluster.Contracts.Errors;

namespace Cluster.Gateway.ModelMesh;

/// <summary>Cuts a sorted list into pages; a page's token is the last id of the page before, so that what changes meanwhile shifts nothing.</summary>
internal static class Pages
{
    private const int DefaultSize = 1000;
    private const int MaxSize = 10_000;

    /// <param name="items">In the order of their ids.</param>
    /// <returns>The page, and the token of the next one: empty if this is the last.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT: the page would be too large.</exception>
    public static (List<T> Page, string Next) Cut<T>(IEnumerable<T> items, Func<T, string> id, string prefix, uint size, string token)
    {
        if (size > MaxSize)
        {
            throw ServingException.InvalidArgument($"pageSize is {size}, expected at most {MaxSize}");
        }

        var wanted = size == 0 ? DefaultSize : (int)size;
        var page = items
            .Where(item => id(item).StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(id(item), token) > 0)
            .Take(wanted + 1)
            .ToList();
        if (page.Count <= wanted)
        {
            return (page, "");
        }

        page.RemoveAt(wanted);
        return (page, id(page[^1]));
    }
}
