using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

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

/// <summary>
/// The text forms of option values, one for each kind. Whole numbers are digits alone, other numbers may have a decimal point. Further forms are <c>true</c> or
/// <c>false</c>, the names of a choice, and <c>[d.]hh:mm:ss[.fffffff]</c> for times. Commas separate the parts of a list. No value is empty or begins or ends with
/// white space.
/// </summary>
internal static class OptionText
{
    private static readonly string[] TimeForms = [@"hh\:mm\:ss", @"hh\:mm\:ss\.FFFFFFF", @"d\.hh\:mm\:ss", @"d\.hh\:mm\:ss\.FFFFFFF"];

    /// <summary>Reads a value, a list or a list by name.</summary>
    public static bool TryRead(IConfigurationSection given, Type type, out object? value)
    {
        value = null;
        if (type == typeof(ISet<string>))
        {
            var isRight = TryReadList<string>(given, out var names);
            value = names.ToHashSet(StringComparer.Ordinal);
            return isRight;
        }

        if (type == typeof(IDictionary<string, IReadOnlyList<double>>))
        {
            var lists = given.GetChildren().ToDictionary(
                static child => child.Key, static child => TryReadList<double>(child, out var numbers) ? (IReadOnlyList<double>)numbers : [], StringComparer.Ordinal);
            value = lists;
            return string.IsNullOrEmpty(given.Value) && lists.Values.All(static numbers => numbers.Count > 0);
        }

        return given.Value is { } text && !given.GetChildren().Any() && TryParse(text, Nullable.GetUnderlyingType(type) ?? type, out value);
    }

    /// <summary>The right values by the type alone. Null where a rule has to say more.</summary>
    public static string? Describe(Type type) => type switch
    {
        { IsEnum: true } => OptionProperty.Join(Enum.GetNames(type)),
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(ISet<string>) => "a list of names",
        _ when type == typeof(IDictionary<string, IReadOnlyList<double>>) => "lists of numbers by name",
        _ => null,
    };

    /// <summary>The form that is read, for people and for the documentation.</summary>
    public static string Format(object? value) => value switch
    {
        null => "none",
        TimeSpan time => time.Ticks % TimeSpan.TicksPerSecond == 0 ? time.ToString("c") : time.ToString("c").TrimEnd('0'),
        double number => number.ToString("0.####", CultureInfo.InvariantCulture),
        IEnumerable<string> names => string.Join(',', names),
        IDictionary<string, IReadOnlyList<double>> lists => string.Join("; ", lists.Select(static list => $"{list.Key}={string.Join(',', list.Value.Select(static bound => Format(bound)))}")),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    } is { Length: > 0 } text ? text : "none";

    private static bool TryReadList<T>(IConfigurationSection given, out List<T> items)
    {
        items = [];
        IEnumerable<string?> texts = given.Value switch
        {
            null => given.GetChildren().Select(static (child, index) => child.Key == index.ToString(CultureInfo.InvariantCulture) ? child.Value : null),
            "" => [],
            var text => text.Split(','),
        };
        foreach (var text in texts)
        {
            if (text is null || !TryParse(text, typeof(T), out var item))
            {
                return false;
            }

            items.Add((T)item!);
        }

        return true;
    }

    private static bool TryParse(string text, Type type, out object? value)
    {
        var culture = CultureInfo.InvariantCulture;
        value = type switch
        {
            _ when type == typeof(string) => text.Length > 0 && text.Trim().Length == text.Length && !text.Any(char.IsControl) ? text : null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.None, culture, out var number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.None, culture, out var number) ? number : null,
            _ when type == typeof(double) => IsDecimal(text) && double.TryParse(text, NumberStyles.AllowDecimalPoint, culture, out var number) && double.IsFinite(number) ? number : null,
            _ when type == typeof(bool) => text.Equals("true", StringComparison.OrdinalIgnoreCase) ? true : text.Equals("false", StringComparison.OrdinalIgnoreCase) ? false : null,
            _ when type == typeof(TimeSpan) => TimeSpan.TryParseExact(text, TimeForms, culture, out var time) ? time : null,
            { IsEnum: true } => Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(type, name) : null,
            _ => throw new NotSupportedException($"no text form for an option of type {type}"),
        };
        return value is not null;
    }

    /// <summary>Leaves out words such as NaN, and a point at either end.</summary>
    private static bool IsDecimal(string text) => text.Length > 0 && char.IsAsciiDigit(text[0]) && char.IsAsciiDigit(text[^1]);
}
