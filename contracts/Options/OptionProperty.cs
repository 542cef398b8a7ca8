using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Cluster.Contracts.Options;

/// <summary>One property of an options class with the rules that its attributes state.</summary>
public sealed class OptionProperty
{
    private readonly PropertyInfo _property;
    private readonly IReadOnlyList<ValidationAttribute> _rules;

    private OptionProperty(string section, PropertyInfo property)
    {
        _property = property;
        _rules = [.. property.GetCustomAttributes<ValidationAttribute>()];
        Key = $"{section}:{property.Name}";
        SetBy = property.GetCustomAttribute<SetByAttribute>()?.Key;
        Expected = _rules.Select(Say).FirstOrDefault(static said => said is not null)
            ?? OptionText.Describe(Type);
    }

    public string Name => _property.Name;

    /// <summary>Such as <c>Cache:SizeFactor</c>.</summary>
    public string Key { get; }

    /// <summary>The key that sets it in place of its own; null if it has its own.</summary>
    public string? SetBy { get; }

    /// <summary>The right values, such as <c>1 to 100</c>. Null without a rule.</summary>
    public string? Expected { get; }

    internal Type Type => Nullable.GetUnderlyingType(_property.PropertyType) ?? _property.PropertyType;

    /// <summary>The value in the form that is read; a password as stars.</summary>
    public string Show(object options) =>
        _rules.OfType<DataTypeAttribute>().Any(static rule => rule.DataType == DataType.Password) ? "***" : OptionText.Format(_property.GetValue(options));

    /// <summary>The properties that can be set, in the order of their declaration.</summary>
    /// <param name="type">An options class.</param>
    public static IReadOnlyList<OptionProperty> Of(Type type) =>
        [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(static property => property.SetMethod is { IsPublic: true })
            .Select(property => new OptionProperty(SectionOf(type), property))];

    /// <summary>The section of an options class; empty for one that the program fills.</summary>
    public static string SectionOf(Type type) => type.GetCustomAttribute<SectionAttribute>()?.Name ?? "";

    internal void Set(object options, object? value) => _property.SetValue(options, value);

    internal bool IsRight(object options) => _rules.All(rule => rule.IsValid(_property.GetValue(options)));

    private static string? Say(ValidationAttribute rule) => rule switch
    {
        AllowedValuesAttribute allowed => Join([.. allowed.Values.Select(OptionText.Format)]),
        { ErrorMessage: { } said } => said,
        RangeAttribute range => $"{Convert.ToString(range.Minimum, CultureInfo.InvariantCulture)} to {Convert.ToString(range.Maximum, CultureInfo.InvariantCulture)}",
        _ => null,
    };

    internal static string Join(string[] choices) => $"{string.Join(", ", choices[..^1])} or {choices[^1]}";
}
