import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.UUIDDeserializer;
import org.apache.kafka.common.serialization.UUIDSerializer;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.retrytopic.RetryTopicConfigurationSupport;
import org.springframework.kafka.support.serializer.DelegatingByTypeSerializer;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.kafka.support.serializer.JsonDeserializer;
import org.springframework.kafka.support.serializer.JsonSerializer;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.backoff.FixedBackOff;

/** A service on Spring whose listeners fail: what it can't process goes to dead-letter topics. */
@EnableKafka
public class SpringService extends RetryTopicConfigurationSupport {
    static final String BROKERS = System.getProperty("brokers");

    public static void main(String[] arguments) {
        new AnnotationConfigApplicationContext(SpringService.class);
    }

    @KafkaListener(topics = "#{systemProperties['topic']}", groupId = "#{systemProperties['group']}")
    void process(ConsumerRecord<UUID, JsonNode> record) {
        throw new IllegalStateException("no stock for " + record.value().at("/payload/item"));
    }

    @RetryableTopic(attempts = "3", backOff = @BackOff(delay = 100), autoCreateTopics = "false")
    @KafkaListener(topics = "#{systemProperties['retried']}", groupId = "#{systemProperties['group']}.retried")
    void retry(ConsumerRecord<UUID, JsonNode> record) {
        throw new IllegalStateException("still no stock for " + record.value().at("/payload/item"));
    }

    @DltHandler
    void giveUp(ConsumerRecord<UUID, JsonNode> record) {}

    @Bean
    ConcurrentKafkaListenerContainerFactory<UUID, JsonNode> kafkaListenerContainerFactory(KafkaTemplate<Object, Object> kafkaTemplate) {
        var factory = new ConcurrentKafkaListenerContainerFactory<UUID, JsonNode>();
        factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(
            Map.of("bootstrap.servers", BROKERS, "auto.offset.reset", "earliest"),
            new ErrorHandlingDeserializer<>(new UUIDDeserializer()),
            new ErrorHandlingDeserializer<>(new JsonDeserializer<>(JsonNode.class, false))));
        factory.setCommonErrorHandler(new DefaultErrorHandler(new DeadLetterPublishingRecoverer(kafkaTemplate), new FixedBackOff(0, 1)));
        return factory;
    }

    @Bean
    KafkaTemplate<Object, Object> kafkaTemplate() {
        var serializer = new DelegatingByTypeSerializer(Map.of(
            byte[].class, new ByteArraySerializer(),
            UUID.class, new UUIDSerializer(),
            JsonNode.class, new JsonSerializer<>().noTypeInfo()), true);
        return new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", BROKERS), serializer, serializer));
    }

    @Bean
    TaskScheduler scheduler() {
        return new ThreadPoolTaskScheduler();
    }
}
