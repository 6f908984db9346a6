//! Tokens by which Amazon MSK knows an IAM identity: a request to connect, signed in its address by Signature Version 4 and
//! sent as the bearer token of SASL's `OAUTHBEARER`
//! (<https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html>; the token is that of AWS's own
//! `aws-msk-iam-sasl-signer` libraries).

use std::{
    collections::HashMap,
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_http_client::{Builder, tls};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rdkafka::{
    ClientConfig, ClientContext,
    client::{Client, OAuthToken},
    types::RDKafkaRespErr,
};

use crate::LogError;

/// What the option `sasl.mechanism` calls it; to Kafka it is `OAUTHBEARER`.
pub(super) const MECHANISM: &str = "AWS_MSK_IAM";
/// The variable that names the region, where the brokers' names do not.
pub(super) const REGION: &str = "AWS_REGION";
/// librdkafka's setting that comes back with each question for a token. Here it is the region.
pub(super) const SETTING: &str = "sasl.oauthbearer.config";
/// How long a token is valid, as AWS's libraries have it.
const VALID: Duration = Duration::from_mins(15);
/// A token that is valid for less is made anew.
const RENEWED: Duration = Duration::from_mins(5);
/// What an address's query has as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The last token of each region.
static TOKENS: Mutex<Option<HashMap<String, Token>>> = Mutex::new(None);

#[derive(Clone)]
struct Token {
    text: String,
    until: SystemTime,
}

/// The region that brokers of MSK have in their names, `b-1.NAME.ID.c3.kafka.REGION.amazonaws.com`.
pub(super) fn region_of(brokers: &str) -> Option<String> {
    let host = brokers.split(',').next()?.rsplit_once(':')?.0;
    let (_, after) = host.split_once(".kafka.").or_else(|| host.split_once(".kafka-serverless."))?;
    let (region, domain) = after.split_once('.')?;
    domain.starts_with("amazonaws.com").then(|| region.to_owned())
}

/// A token for the region `region`, of the identity that the environment has: the one before, while it is valid.
/// Blocks, where credentials have to be asked for.
pub(super) fn token(region: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
    let region = region.ok_or("no region is set")?;
    let mut tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
    let now = SystemTime::now();
    let tokens = tokens.get_or_insert_default();
    if tokens.get(region).is_none_or(|token| token.until <= now + RENEWED) {
        tokens.insert(region.to_owned(), Token { text: signed(credentials(region)?, region, now)?, until: now + VALID });
    }
    let token = tokens.get(region).cloned().ok_or("no token was made")?;
    let lifetime_ms = token.until.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
    Ok(OAuthToken { token: token.text, principal_name: "clickstream".to_owned(), lifetime_ms })
}

/// Gives a client its token. One that is polled asks for it by itself; one that is not would wait for ever.
pub(super) fn authorize<C: ClientContext>(client: &Client<C>, config: &ClientConfig) -> Result<(), LogError> {
    let Some(region) = config.get(SETTING) else { return Ok(()) };
    let refused = |why: &str| LogError::Unavailable(format!("no token for Amazon MSK: {why}"));
    let token = token(Some(region)).map_err(|error| refused(&error.to_string()))?;
    let (Ok(text), Ok(principal)) = (std::ffi::CString::new(token.token), std::ffi::CString::new(token.principal_name)) else {
        return Err(refused("it has a zero byte"));
    };
    let mut why = [0_u8; 512];
    #[expect(unsafe_code, reason = "rdkafka hands tokens over only to clients that are polled; pointers live as long as the call")]
    let code = unsafe {
        rdkafka::bindings::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            token.lifetime_ms,
            principal.as_ptr(),
            std::ptr::null_mut(),
            0,
            why.as_mut_ptr().cast(),
            why.len(),
        )
    };
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let why = why.split(|byte| *byte == 0).next().unwrap_or_default();
    Err(refused(&String::from_utf8_lossy(why)))
}

/// Who we are, as the AWS SDK finds out: variables (Lambda's own), a profile, a container's or a machine's role.
fn credentials(region: &str) -> Result<Credentials, Box<dyn Error>> {
    let region = Region::new(region.to_owned());
    // librdkafka asks on threads of its own and of the runtime, where waiting for a future is not always allowed.
    let asked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
            let found = aws_config::defaults(BehaviorVersion::latest()).http_client(http).region(region).load().await;
            let provider = found.credentials_provider().ok_or_else(|| "no provider of credentials".to_owned())?;
            provider.provide_credentials().await.map_err(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string))
        })
    });
    let found: Result<Credentials, String> = asked.join().map_err(|_| "asking for credentials panicked")?;
    Ok(found.map_err(|why| format!("there are no credentials of AWS: {why}"))?)
}

/// The request to connect, signed at `at`, as a token.
fn signed(credentials: Credentials, region: &str, at: SystemTime) -> Result<String, Box<dyn Error>> {
    let address = format!("https://kafka.{region}.amazonaws.com/?Action=kafka-cluster%3AConnect");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(VALID);
    let identity = credentials.into();
    let params = v4::SigningParams::builder().identity(&identity).region(region).name("kafka-cluster").time(at).settings(settings);
    let request = SignableRequest::new("GET", address.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &params.build()?.into())?.into_parts();
    let query: String =
        instructions.params().iter().map(|(name, value)| format!("&{name}={}", utf8_percent_encode(value, QUERY))).collect();
    // Not signed: MSK logs it.
    let agent = concat!("clickstream%2F", env!("CARGO_PKG_VERSION"));
    Ok(URL_SAFE_NO_PAD.encode(format!("{address}{query}&User-Agent={agent}")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// What botocore 1.43.11 makes of the same request at the same moment (`SigV4QueryAuth`, service `kafka-cluster`, 900 s).
    const SIGNED_BY_BOTOCORE: [(Option<&str>, &str); 2] = [
        (
            None,
            "Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2F\
             kafka-cluster%2Faws4_request&X-Amz-Date=20261127T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=\
             222018bfe681c9b19e40860a2e3db6e6bacf9b7ec63914080a0eed61e437ef4f",
        ),
        (
            Some("FwoGZXIvYXdzEXAMPLE//token+=="),
            "Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2F\
             kafka-cluster%2Faws4_request&X-Amz-Date=20261127T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=\
             FwoGZXIvYXdzEXAMPLE%2F%2Ftoken%2B%3D%3D&X-Amz-Signature=37d1571fe51751dee1ab348a831d265dbac1fe7a49804f18727e90ee9d004d32",
        ),
    ];

    #[test]
    fn a_token_is_what_aws_signs() {
        // 2026-11-27T12:00:00Z
        let at = UNIX_EPOCH + Duration::from_hours(498_828);
        for (session, wanted) in SIGNED_BY_BOTOCORE {
            let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
            let credentials = Credentials::new("AKIDEXAMPLE", secret, session.map(str::to_owned), None, "test");
            let token = signed(credentials, "eu-central-1", at).unwrap();
            assert!(!token.contains(['=', '+', '/']), "{token}");
            let address = String::from_utf8(URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
            let query = address.strip_prefix("https://kafka.eu-central-1.amazonaws.com/?").unwrap();
            let (query, agent) = query.rsplit_once('&').unwrap();
            assert!(agent.starts_with("User-Agent=clickstream%2F"), "{agent}");
            let sorted = |query: &str| {
                let mut pairs: Vec<_> = query.split('&').map(str::to_owned).collect();
                pairs.sort();
                pairs
            };
            assert_eq!(sorted(query), sorted(wanted));
        }
    }

    #[test]
    fn brokers_of_msk_name_their_region() {
        let of = |brokers: &str| region_of(brokers);
        let msk = "b-1.clickstream.a1b2c3.c3.kafka.eu-central-1.amazonaws.com:9098,b-2.clickstream.a1b2c3.c3.kafka.eu-central-1.amazonaws.com:9098";
        assert_eq!(of(msk).as_deref(), Some("eu-central-1"));
        assert_eq!(of("boot-a1.c1.kafka-serverless.us-east-1.amazonaws.com:9098").as_deref(), Some("us-east-1"));
        assert_eq!((of("kafka.example:9098"), of("a.kafka.b.example:1"), of("")), (None, None, None));
    }
}
