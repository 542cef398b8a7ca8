using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cluster.Contracts.Options;

/// <summary>The one way in which options are registered.</summary>
public static class OptionsExtensions
{
    /// <summary>
    /// Binds the section that <typeparamref name="T"/> names, has every mistake found at the start, and lets services take the options themselves.
    /// An instance that was registered before is taken in place of the bound one.
    /// </summary>
    public static OptionsBuilder<T> AddClusterOptions<T>(this IServiceCollection services)
        where T : class, new()
    {
        services.TryAddSingleton<SectionBinder<T>>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<T>, SectionBinder<T>>(static provider => provider.GetRequiredService<SectionBinder<T>>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, SectionBinder<T>>(static provider => provider.GetRequiredService<SectionBinder<T>>()));
        services.TryAddSingleton(static provider => provider.GetRequiredService<IOptions<T>>().Value);
        return services.AddOptions<T>().ValidateOnStart();
    }

    /// <param name="configuration">None leaves the defaults.</param>
    private sealed class SectionBinder<T>(IConfiguration? configuration = null) : IConfigureOptions<T>, IValidateOptions<T>
        where T : class
    {
        private readonly IConfiguration _configuration = configuration ?? new ConfigurationManager();

        public void Configure(T options) => OptionSection.Bind(_configuration, options);

        public ValidateOptionsResult Validate(string? name, T options) =>
            OptionSection.Check(_configuration, options) is { Count: > 0 } mistakes
                ? ValidateOptionsResult.Fail(mistakes.Select(static mistake => mistake.Text))
                : ValidateOptionsResult.Success;
    }
}
