using System.Globalization;
using System.Text;

namespace Cluster.Cli.Documents;

/// <summary>Text of a server or a file, as a terminal may have it: names are their owners' choice, and none is to move the cursor.</summary>
internal static class PlainText
{
    public static string Of(string text)
    {
        if (!text.Any(IsUnfit))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            _ = IsUnfit(letter) ? plain.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}") : plain.Append(letter);
        }

        return plain.ToString();
    }

    /// <summary>Control characters, and those that turn the direction of a text.</summary>
    private static bool IsUnfit(char letter) => char.IsControl(letter) || (char.GetUnicodeCategory(letter) == UnicodeCategory.Format && letter != '\u00ad');
}
