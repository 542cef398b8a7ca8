using System.ComponentModel.DataAnnotations;

namespace Cluster.Contracts.Options;

/// <summary>Says what a text option holds; derived rules check it. Null is the default's.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class TextAttribute : ValidationAttribute
{
    /// <param name="expected">Follows the word "expected" in a mistake: <c>a folder</c>.</param>
    public TextAttribute(string expected) => ErrorMessage = expected;

    /// <inheritdoc/>
    public sealed override bool IsValid(object? value) => value is null || (value is string text && IsRight(text));

    protected virtual bool IsRight(string text) => true;
}
